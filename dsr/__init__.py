"""A portal for data-subject rights. The flow, and where each step lives:

1. intake     somebody asks; a code or a receipt shows who it is; a Case opens with its clocks
2. lifecycle  the one dict of moves: RECEIVED → VERIFIED → WORKING → REVIEW → APPROVED → EXECUTING → COMPLETED
3. gather     a worker finds the person in each system, then reads one system a job into encrypted parts
4. admin      staff look at what was found, send it back or approve
5. deliver    parts are sealed into one encrypted archive with its letter, announced, served until it expires
6. notify     every message to the person is a row and a job
7. jobs       the outbox beneath it all: a row is the promise, a message only a hint
8. audit      each act is an entry in a keyed hash chain
9. policy     what is held, why, how long and how fast we answer: one file that all of the above obey
10. connectors and bundle   how systems are read, and what a person receives
"""
