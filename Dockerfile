# The portal: one image for web, worker, clock and the command that prepares the database.
# Two stages: what installs stays behind; what runs has no pip and no compiler.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv --without-pip /venv
COPY requirements.lock /build/requirements.lock
# Exactly the locked packages, each by its digest, as wheels: nothing is compiled and no script of a package runs.
RUN python -m pip --python /venv/bin/python install --only-binary :all: --require-hashes -r /build/requirements.lock
COPY manage.py /app/manage.py
COPY dsr /app/dsr
COPY accounts /app/accounts
COPY templates /app/templates
COPY static /app/static
WORKDIR /app
# The style sheets, named by their content. The keys that a start makes here are thrown away with /tmp/build.
RUN DSR_DATA=/tmp/build DSR_STATIC=/app/collected /venv/bin/python manage.py collectstatic --noinput --skip-checks \
 && rm -rf /tmp/build \
 && /venv/bin/python -m compileall -q /app /venv/lib \
 && chmod -R a+rX /app

FROM python:3.12-slim-bookworm
# Pango prints the letters.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
    fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && python -m pip uninstall --yes --quiet pip \
 && groupadd --gid 10001 portal \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin portal \
 && install -d -o 10001 -g 10001 -m 0700 /data /keys
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DSR_DATA=/data DSR_KEYS=/keys/keys.json DSR_STATIC=/app/collected DSR_RUN=/tmp/run DSR_BIND=0.0.0.0:8000
WORKDIR /app
USER 10001:10001
VOLUME ["/data", "/keys"]
EXPOSE 8000
# Warm: the web server lets answers end, a worker its jobs. What is killed after the grace is taken up again elsewhere.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "dsr.management.supervisor", "web"]
