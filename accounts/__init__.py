"""Who is here: people, who prove an address by a mailed code, and staff, who sign in with two factors.

Knows nothing of requests, policies or systems. `codes` signs people in, `second_factor` guards what staff do.
"""
