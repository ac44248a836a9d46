"""What the web server calls."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsr.settings")

application = get_wsgi_application()

from dsr import policy  # noqa: E402  (Django first: it reads the policy)

# A wrong policy stops the start, with all its errors.
policy.current()
policy.systems()
