#include "tools/pl-build/doctor.h"

#include "engine/sandbox/sandbox.h"

static void describe(const struct sandbox_report *report, struct buffer *out) {
    static const char *const titles[SANDBOX_NONE] = {
        "overlay file systems as root",
        "overlay file systems in a user namespace with many ids",
        "overlay file systems in a user namespace with one id",
        "chroot without any mount",
    };
    for (int mode = 0; mode < SANDBOX_NONE; mode++) {
        bool used = (int)report->mode == mode;
        buffer_append_format(out, "%s %-6s %s: %s\n", used ? "->" : "  ", sandbox_mode_name((enum sandbox_mode)mode),
                             titles[mode], report->modes[mode].works ? "works" : report->modes[mode].reason);
        if (!report->modes[mode].works && *report->modes[mode].advice)
            buffer_append_format(out, "          %s\n", report->modes[mode].advice);
    }
    if (report->mode == SANDBOX_NONE)
        buffer_append_text(out, "Steps cannot be run on this machine.\n");
    else
        buffer_append_format(out,
                             "Steps are run in the mode \"%s\"; PL_SANDBOX=root|user|single|chroot chooses another.\n",
                             sandbox_mode_name(report->mode));
}

int doctor(struct command_context *context, struct error *error) {
    struct sandbox_report report = {0};
    AUTO_BUFFER struct buffer out = BUFFER(65536);
    int result = sandbox_probe(&report, error);
    if (result == 0) {
        describe(&report, &out);
        result = command_print(context, buffer_text(&out), error);
    }
    if (result == 0 && report.mode == SANDBOX_NONE)
        result = error_set(error, ERROR_CONFIGURATION, "no way to run a step works on this machine");
    return result;
}
