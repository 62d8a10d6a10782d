# The image of l7lb. `docker buildx build --platform linux/amd64,linux/arm64 .` makes it for both; no step names one.
# docs/image.md says how it is made, checked, and renewed.
ARG BASE=docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# What others wrote changes less often than what we write: a layer of its own.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/l7lb
RUN python -m pip --python /opt/l7lb/bin/python install --no-compile --require-hashes --only-binary=:all: -r requirements.lock
RUN python -m pip install --require-hashes --only-binary=:all: -r requirements-build.lock
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY l7lb ./l7lb
RUN python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir dist .
RUN python -m pip --python /opt/l7lb/bin/python install --no-compile --no-deps --no-index dist/*.whl
# Half of the package kubernetes is its twin for asyncio, which the other half does not know.
RUN rm -rf /opt/l7lb/lib/python3.*/site-packages/kubernetes/aio
# The bytecode does not look at its source: nothing is written when it starts, and the root can be read-only.
# Left as source are the typed models of the package kubernetes, which l7lb never loads.
RUN /opt/l7lb/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x 'kubernetes/client/(api/|models/v[0-9])' /opt/l7lb/lib

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="l7lb" \
      org.opencontainers.image.description="Turns Kubernetes Ingress objects into Tencent Cloud load balancers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim"
# Nothing can be installed into a running container.
RUN rm -rf /usr/local/lib/python3.*/site-packages/pip* /usr/local/lib/python3.*/ensurepip /usr/local/bin/pip*
COPY --from=build /opt/l7lb /opt/l7lb
ENV PATH=/opt/l7lb/bin:${PATH} PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /
EXPOSE 8080 8081
ENTRYPOINT ["l7lb"]
CMD ["--help"]
