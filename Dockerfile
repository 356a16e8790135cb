# One node in a container. Data lives in /data: docker run -p 8000:8000 -v collector:/data collector
FROM python:3.12-slim

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md ./
COPY collector collector
COPY sync sync
COPY templates templates
COPY static static
RUN python -m pip install --no-cache-dir -c constraints.txt .[fast,postgres]

RUN useradd --create-home --uid 1000 collector && mkdir /data && chown collector /data
USER collector
ENV COLLECTOR_DATA=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["collector", "serve", "--host", "0.0.0.0", "--port", "8000"]
