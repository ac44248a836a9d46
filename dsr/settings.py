"""Settings: everything comes from the environment, and each default is the careful one."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from kombu import Exchange, Queue

from dsr import addresses, environment, keys, mailer, samples, storage
from dsr.environment import WrongSetting

BASE_DIR = Path(__file__).resolve().parent.parent

# POLICY=lumio (a sample's name) stands for a policy file, a systems file, a data folder and sample mode.
SAMPLE = environment.text("POLICY")
if SAMPLE and SAMPLE not in samples.NAMES:
    raise WrongSetting(f"POLICY is {SAMPLE!r}. Allowed are: {', '.join(samples.NAMES)}.")

DSR_POLICY = environment.path("DSR_POLICY", str(samples.policy_path(SAMPLE)) if SAMPLE else "")
DSR_SYSTEMS = environment.path("DSR_SYSTEMS", str(samples.systems_path(SAMPLE)) if SAMPLE else "")
DSR_DEMO = environment.flag("DSR_DEMO", default=bool(SAMPLE))
DATA = Path(environment.path("DSR_DATA", str(BASE_DIR / "var" / (f"demo/{SAMPLE}" if SAMPLE else "data")))).resolve()
DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
if SAMPLE:
    # The sample systems lie in the data folder; what is set outside wins.
    for _name, _value in samples.environment(SAMPLE, DATA / "systems").items():
        os.environ.setdefault(_name, _value)

# Links in mails come from here and from nowhere else (a poisoned Host header makes none).
DSR_ORIGIN = environment.text("DSR_ORIGIN", "http://localhost:8000").rstrip("/")
_origin = urlsplit(DSR_ORIGIN)
if _origin.scheme not in ("http", "https") or not _origin.hostname or _origin.path:
    raise WrongSetting(f"DSR_ORIGIN is {DSR_ORIGIN!r}. Allowed is an origin such as https://privacy.example.com.")
IS_HTTPS = _origin.scheme == "https"

DEBUG = environment.flag("DSR_DEBUG")
ALLOWED_HOSTS = [_origin.hostname] + (["127.0.0.1", "[::1]"] if _origin.hostname == "localhost" else [])
CSRF_TRUSTED_ORIGINS = [DSR_ORIGIN]
USE_X_FORWARDED_HOST = False
FORCE_SCRIPT_NAME = ""  # a SCRIPT_NAME header would lead every link of the pages that are drawn once elsewhere
# How many proxies in front may be believed about the client's address; 0 ignores forwarded addresses.
TRUSTED_PROXIES = environment.number("DSR_TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES and IS_HTTPS else None

# ---- keys, database, storage -----------------------------------------------------------------------------------
DATABASES = {"default": addresses.database(environment.text("DSR_DATABASE", str(DATA / "portal.sqlite3")))}
DSR_KEYS = Path(environment.path("DSR_KEYS", str(DATA / "keys" / "keys.json")))
keys.configure(DSR_KEYS, data_exists=lambda: addresses.holds_data(DATABASES["default"]))
SECRET_KEY = keys.mac("django", b"secret key").hex()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA / "unused"}},
    "bundles": storage.configured(
        environment.text("DSR_STORAGE"),
        DATA / "bundles",
        key_id=environment.text("DSR_S3_KEY_ID"),
        secret=environment.text("DSR_S3_SECRET"),
    ),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(environment.path("DSR_STATIC", str(BASE_DIR / "var" / "static")))
# Limits on guesses and on mails must be seen by every process.
CACHES = {
    "default": {
        "BACKEND": "dsr.shared_cache.SharedCache",
        "LOCATION": "shared_cache",
    }
}

# ---- the application -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "dsr.apps.DsrConfig",
    "accounts",
    "dsr.admin.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dsr.portal.middleware.OriginCheck",
    "dsr.portal.middleware.Headers",
    "dsr.portal.middleware.Storable",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.StaffSessions",
]
ROOT_URLCONF = "dsr.urls"
WSGI_APPLICATION = "dsr.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dsr.portal.context.site",
            ]
        },
    }
]

# ---- people and staff ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
# allauth's backend extends Django's ModelBackend (permissions included); both together would hash each password twice.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "/"

# A staff session ends after so many hours, and so many minutes without a page (accounts.middleware.StaffSessions).
ACCOUNTS_STAFF_HOURS = 8
ACCOUNTS_STAFF_IDLE_MINUTES = 60
ACCOUNTS_ORIGIN = DSR_ORIGIN  # links in staff mails and in `manage.py staff`

ACCOUNT_ADAPTER = "dsr.portal.adapter.PortalAccountAdapter"  # codes go out as our own mails, by jobs
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # sign-up is closed; this tells allauth that sign-in has a password
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is verified by a mailed code, or vouched for by the operator
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True  # staff read of a changed password, a new factor
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False  # accounts.views.SignIn decides who needs no form
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignIn",
    "reauthenticate": "accounts.forms.Reauthenticate",
    "change_password": "accounts.forms.ChangePassword",
    "reset_password": "accounts.forms.ResetPassword",
    "reset_password_from_key": "accounts.forms.NewPassword",
}
MFA_ADAPTER = "dsr.portal.adapter.SealedSecondFactorAdapter"  # second factors rest encrypted
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = ""  # the company's short name; empty: the host
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_FORMS = {
    "authenticate": "accounts.forms.Authenticate",
    "reauthenticate": "accounts.forms.ReauthenticateFactor",
    "activate_totp": "accounts.forms.ActivateTOTP",
    "add_webauthn": "accounts.forms.AddKey",
}
SESSION_COOKIE_AGE = 12 * 3600  # in the database too; the cookie itself ends with the browser
CSRF_COOKIE_AGE = None  # this cookie ends with the browser too
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # pages and mails say three days
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# ---- security headers and cookies ------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "script-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(health|ready)$"]  # asked for behind the proxy, on the machine itself
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
# Subdomains and preload lists are for whoever owns the domain to decide; the portal may be one host of many there.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "session"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 0

# ---- words and time --------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "dsr" / "locale"]

# ---- mail ------------------------------------------------------------------------------------------------------
# "outbox" writes each mail into a folder; smtp://… sends it; a provider's name and key hand it to that provider.
_mail = mailer.configured(environment.text("DSR_MAIL", "outbox"))
EMAIL_BACKEND = _mail.backend
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.is_tls_from_start, _mail.is_starttls
EMAIL_FILE_PATH = DATA / "outbox"
EMAIL_TIMEOUT = 15
ANYMAIL = _mail.anymail
MAIL_HEADERS = _mail.headers  # what a provider wants to be told with each mail

# ---- work ------------------------------------------------------------------------------------------------------
_broker_folder = DATA / "broker"
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = addresses.broker(
    environment.text("DSR_BROKER_URL", "filesystem://localhost"), _broker_folder
)
if CELERY_BROKER_URL.startswith("filesystem:"):
    for _name in ("queue", "processed", "control"):
        (_broker_folder / _name).mkdir(mode=0o700, parents=True, exist_ok=True)
CELERY_DB_REUSE_MAX = 1000  # a connection serves many jobs (dsr.tasks looks whether it still stands), not one
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that is gone for an hour is waited for
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("interactive", "bulk", "clock")]
CELERY_TASK_DEFAULT_QUEUE = "interactive"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the row is the promise; a message that is lost is sent again by the sweep
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A message that a busy worker had taken ahead would wait for that worker, and be lost with it.
CELERY_WORKER_DISABLE_PREFETCH = CELERY_BROKER_URL.startswith("redis")
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
RUN = Path(environment.path("DSR_RUN", str(DATA / "run")))  # signs of life, for health checks
SWEEP_SECONDS = environment.number("DSR_SWEEP_SECONDS", 5)
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "dsr.sweep", "schedule": SWEEP_SECONDS, "options": {"queue": "clock", "expires": 60}},
    "tick": {"task": "dsr.tick", "schedule": 60, "options": {"queue": "clock", "expires": 60}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "beat-schedule")
# A job whose worker is silent for so long is given to another.
LEASE_SECONDS = environment.number("DSR_LEASE_SECONDS", 30)
RETRY_BASE_SECONDS = environment.number("DSR_RETRY_BASE_SECONDS", 5)
MAX_ATTEMPTS = environment.number("DSR_MAX_ATTEMPTS", 8)
PART_ROWS = environment.number("DSR_PART_ROWS", 100_000)

# ---- logs: ids and counts only ---------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "dsr.logs.Line", "format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": environment.text("DSR_LOG_LEVEL", "WARNING")},
    "loggers": {"dsr": {"level": environment.text("DSR_LOG_LEVEL", "INFO")}},
}
