"""The pages for people who ask about their data: one file a flow. No script is needed anywhere.

start        who runs this, what can be asked; the policy page
ask          one question a page, until the request is sent (forms.py asks, answers.py carries what was said)
follow       a code or a claim code shows whose request it is
status       how a request is going, and what its owner can do about it (steps.py tells it in words)
download     the archive, resumable
wellknown    what machines look for; outbox the mails of the sample
"""
