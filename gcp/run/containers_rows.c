/* The options of sidecars and volumes. */
#include "gcp/run/containers.h"
#include "gcp/run/setting_row.h"

#define SETTING(member) .offset = offsetof(struct run_volumes, member)

const struct option run_volume_rows[] = {
    LIST_ROW("volume", "NAME=WHAT",
             "a volume: memory[:SIZE], disk[:SIZE], secret:SECRET[:VERSION], bucket:NAME[:ro], nfs:SERVER:/PATH[:ro]",
             added),
    LIST_ROW("mount", "NAME=/PATH", "where a volume is in the container", mounts),
    LIST_ROW("remove-volume", "NAME", "a volume that goes, with its mounts", removed),
    {0},
};

#undef SETTING
#define SETTING(member) .offset = offsetof(struct run_containers, member)

const struct option run_container_rows[] = {
    LIST_ROW("sidecar", "NAME=IMAGE",
             "a container beside the one that requests come to; NAME:OPTION=VALUE sets one of its options, such as "
             "cache:memory=256Mi or cache:startup-probe=tcpSocket.port=6379",
             sidecars),
    LIST_ROW("remove-sidecar", "NAME", "one that goes", removed_sidecars),
    LIST_ROW("depends-on", "NAME", "a sidecar that must have started first; it needs a startup probe", dependencies),
    {0},
};
