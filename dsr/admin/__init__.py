"""Staff triage: the queue of requests, one request from top to bottom, the trail. On Django's own admin.

site.py lists what staff can open. queue.py says which requests need whom, steps.py what comes next for one of them,
page.py gathers what its page shows, actions.py is everything that staff can do.
"""
