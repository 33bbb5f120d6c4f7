# Everything is compiled in the first stage; the image that runs has no compiler and no development packages.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json vite.config.ts ./
COPY config config
COPY scripts scripts
COPY shared shared
COPY server server
COPY client client
RUN node --import tsx scripts/build.ts && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
ENV NODE_OPTIONS=--max-semi-space-size=8
ENV UV_THREADPOOL_SIZE=16
COPY package.json LICENSE ./
COPY config config
COPY migrations migrations
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 9000
CMD ["node", "dist/server/main.js"]
