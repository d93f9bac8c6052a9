ARG BASE
FROM $BASE AS build
RUN mkdir -p /out/bin /out/private /out/home && echo tool > /out/bin/tool && chmod 755 /out/bin/tool && ln -s tool /out/bin/alias \
 && echo secret > /out/private/key && chmod 600 /out/private/key && chmod 700 /out/private && chown -R app:staff /out/home \
 && echo mine > /out/home/mine && chown app:app /out/home/mine && chmod 4711 /out/home/mine && ln /out/bin/tool /out/bin/hard \
 && ln -s /out/bin /abs && touch /out/'a name'
FROM $BASE
COPY --from=build /out /copied
COPY --from=build /out/bin/tool /usr/local/bin/
COPY --from=build /out/private/key /key
COPY --from=0 /out/home/mine /mine
COPY --from=build --chown=1:2 /out/home /chowned
COPY --from=build --chmod=0640 /out/home/mine /chmoded
COPY --from=build /out/bin/alias /followed
COPY --from=build /abs/tool /through-link
COPY --from=build /out/bin/* /wild/
COPY --from=build /out/home/ /home-copy
COPY --from=build /out/private /private-copy
COPY --from=build /out/private/ /opt/
WORKDIR /relative
COPY --from=build out/bin/tool .
