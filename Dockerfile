# Wache in a container: compiled in one stage, run in another as a user without rights.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts \
  # The image's own Node is new enough.
  && rm -rf node_modules/node node_modules/node-* node_modules/.bin/node

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/wache
COPY --from=build /build/package.json /build/LICENSE /build/README.md /build/CHANGELOG.md ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/rules ./rules
COPY --from=build /build/mappings ./mappings
COPY --from=build /build/cli/wache.mjs ./cli/wache.mjs
COPY --from=build /build/cli/demo ./cli/demo
RUN mkdir -p /var/lib/wache && chown node:node /var/lib/wache && chmod 700 /var/lib/wache
USER node
VOLUME /var/lib/wache
EXPOSE 8480/tcp 5514/tcp 5514/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8480/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "--initial-old-space-size=208", "cli/wache.mjs"]
CMD ["run", "--data", "/var/lib/wache"]
