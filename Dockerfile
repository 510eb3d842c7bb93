# syntax=docker/dockerfile:1

# The default build also holds the embedded PostgreSQL. For a smaller image that always needs DATABASE_URL:
#   docker build --build-arg CARGO_FLAGS=--no-default-features .
FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
ARG CARGO_FLAGS=""
# The caches are not part of the image, so the finished program is copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/source/target,sharing=locked \
    cargo build --release --locked --bin synkro ${CARGO_FLAGS} \
    && install -D target/release/synkro /out/synkro

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/synkro synkro \
    && install -d -o synkro -g synkro -m 0700 /var/lib/synkro
COPY --from=build /out/synkro /usr/local/bin/synkro
USER synkro
WORKDIR /var/lib/synkro
# Inside a container the loopback address would be unreachable from outside; what is published is compose's decision.
ENV SYNKRO_BIND=0.0.0.0:8080 \
    SYNKRO_DATA_DIR=/var/lib/synkro \
    SYNKRO_LOG_FORMAT=json
VOLUME /var/lib/synkro
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["synkro", "health"]
ENTRYPOINT ["synkro"]
CMD ["serve"]
