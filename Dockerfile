FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/srv/static
WORKDIR /srv/callpanel

COPY requirements/production.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/production.txt

COPY . .
# The settings want these values; they live for this one step, nothing connects to them.
RUN SECRET_KEY=build DATABASE_URL=postgresql://build REDIS_URL=redis://build \
    python manage.py collectstatic --noinput

# The code stays root's, so the process cannot change it; beat writes its schedule, nothing else is written.
RUN useradd --system --uid 10001 callpanel \
    && install --directory --owner callpanel /var/lib/callpanel
USER callpanel

EXPOSE 8000
# No access log: a PBX may carry its secret in the path. WEB_CONCURRENCY is the number of processes.
CMD ["gunicorn", "callpanel.wsgi", "--bind", "0.0.0.0:8000", "--threads", "4", "--worker-tmp-dir", "/dev/shm"]
