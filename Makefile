# pl: everything is built into out/. See README.md for the two commands that matter: make demo and make check.
#
#   make                 all tools, in out/bin
#   make check           the whole test suite (installs what it needs)
#   make check-unit      only the unit tests; likewise check-cli, check-wire, check-engine, check-e2e, check-lint
#   make check-variants  clang, sanitizers and valgrind; with PL_DEEP=1 the slow suites in them, too
#   make demo            both halves of the example on this machine, and a browser that shows them
#   make bench           pl beside its peers
#   make generated       completions, manual pages and docs/tools anew, from the tools' option tables
#   make lint            formatting and static checks
#   make dist            a release for machines like this one: out/dist/pl-linux-ARCH.tar.gz
#   make install PREFIX=/usr/local DESTDIR=     tools, completions, manual pages, docs; uninstall takes them away
#   make SANITIZE=address,undefined / CC=clang / WERROR=  variants; OUT=out-asan keeps them apart

OUT ?= out
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
WERROR ?= -Werror
PKG_CONFIG ?= pkg-config

PACKAGES = jansson openssl libcurl zlib libdeflate libmicrohttpd libseccomp libzstd expat libpcre2-8 yaml-0.1
WARNINGS = -Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wwrite-strings $(WERROR)
HARDENING = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
PL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(WARNINGS) $(HARDENING) -ffile-prefix-map=$(CURDIR)=. \
            $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null) $(CFLAGS)
PL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
ifdef SANITIZE
PL_CFLAGS := $(filter-out -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2,$(PL_CFLAGS)) -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
PL_LDFLAGS += -fsanitize=$(SANITIZE)
endif
# Libraries that only some tools need are dropped by --as-needed; libcurl is loaded by common/http when it is first used.
LIBRARIES = -ljansson -lcrypto -lz -ldeflate -lzstd -lexpat -lpcre2-8 -lyaml -lpthread -ldl

# Archives in link order: what uses comes before what is used.
PARTS = local firebase chain engine gcp registry common
part_sources = $(sort $(wildcard $(1)/*.c $(1)/*/*.c $(1)/*/*/*.c))
object = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

TOOLS = $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard tools/*/main.c)))))
BINARIES = $(TOOLS:%=$(OUT)/bin/%)
UNIT_TESTS = $(patsubst tests/unit/%.c,$(OUT)/test/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
ARCHIVES = $(foreach part,$(PARTS),$(if $(call part_sources,$(part)),$(OUT)/lib/lib$(part).a))

# The name by which docker and podman call pl-gcp-auth.
all: $(BINARIES) $(OUT)/bin/docker-credential-pl
$(OUT)/bin/docker-credential-pl: $(OUT)/bin/pl-gcp-auth
	@ln -sf pl-gcp-auth $@

define archive_rule
$(OUT)/lib/lib$(1).a: $(call object,$(call part_sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(quiet_ar)ar rcsD $$@ $$^
endef
$(foreach part,$(PARTS),$(if $(call part_sources,$(part)),$(eval $(call archive_rule,$(part)))))

ifeq ($(V),)
quiet_cc = @echo "  CC    $<";
quiet_ar = @echo "  AR    $@";
quiet_ld = @echo "  LINK  $@";
endif

$(OUT)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(quiet_cc)$(CC) $(PL_CFLAGS) -MMD -MP -c -o $@ $<

define tool_rule
$(OUT)/bin/$(1): $(call object,$(wildcard tools/$(1)/*.c)) $(ARCHIVES)
	@mkdir -p $$(@D)
	$$(quiet_ld)$(CC) $(PL_LDFLAGS) -o $$@ $(call object,$(wildcard tools/$(1)/*.c)) -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LIBRARIES) $$(LIBRARIES_$(1))
endef
# What single tools need beyond LIBRARIES.
LIBRARIES_pl-local = -lmicrohttpd -lseccomp
LIBRARIES_pl = -lseccomp
LIBRARIES_pl-build = -lseccomp
LIBRARIES_pl-test = -lseccomp
LIBRARIES_pl-push-image = -lseccomp
LIBRARIES_pl-cache = -lseccomp
LIBRARIES_pl-from = -lseccomp
LIBRARIES_pl-with = -lseccomp
LIBRARIES_pl-export = -lseccomp
LIBRARIES_pl-serve = -lseccomp
LIBRARIES_pl-firebase-deploy = -lseccomp
$(foreach tool,$(TOOLS),$(eval $(call tool_rule,$(tool))))

$(OUT)/test/unit/%: $(OUT)/obj/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(quiet_ld)$(CC) $(PL_LDFLAGS) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LIBRARIES) -lmicrohttpd -lseccomp -lcmocka

# Completions and manual pages from the tools' tables; stops at the first mistake in one.
TABLES = $(TOOLS:%=tools/%/command.c)
$(OUT)/obj/completions/commands.c: $(TABLES) Makefile
	@mkdir -p $(@D)
	@{ echo '#include "completions/generate/generate.h"'; \
	   names=$$(for t in $(TABLES); do basename $$(dirname $$t) | tr - _; done | LC_ALL=C sort); \
	   for n in $$names; do echo "extern const struct command $${n}_command;"; done; \
	   echo 'const struct command *const commands[] = {'; \
	   for n in $$names; do echo "    &$${n}_command,"; done; \
	   echo '    NULL};'; } > $@
$(OUT)/obj/completions/commands.o: $(OUT)/obj/completions/commands.c
	@$(CC) $(PL_CFLAGS) -c -o $@ $<
$(OUT)/completions/generate: $(call object,$(sort $(wildcard completions/generate/*.c)) $(TABLES)) $(OUT)/obj/completions/commands.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(quiet_ld)$(CC) $(PL_LDFLAGS) -o $@ $(filter %.o,$^) $(OUT)/lib/libgcp.a $(OUT)/lib/libcommon.a $(LIBRARIES)
PAGES = $(addprefix docs/,records.md configuration.md exit-codes.md completions.md)
$(OUT)/completions/done: $(OUT)/completions/generate $(PAGES)
	@rm -rf $(@D)/bash $(@D)/zsh $(@D)/fish $(@D)/man $(@D)/markdown
	@$< $(@D) docs
	@touch $@
completions: $(OUT)/completions/done

# The generated files are checked in; tests/lint/test_generated.sh compares.
GENERATED = bash zsh fish man
generated: completions
	@rm -rf $(GENERATED:%=completions/%) docs/tools
	@for form in $(GENERATED); do cp -R $(OUT)/completions/$$form completions/$$form; done
	@cp -R $(OUT)/completions/markdown docs/tools

tests: $(UNIT_TESTS)

# As many compilers as processors, unless a -j is given.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

check:
	@tests/setup
	@$(MAKE) --no-print-directory $(JOBS) all completions tests
	@tests/run engine variants e2e wire cli lint unit

check-unit check-lint check-cli check-wire check-engine check-e2e check-variants: check-%: all completions tests
	@tests/run $*

demo:
	@tests/setup demo
	@$(MAKE) --no-print-directory all
	@examples/demo

bench: all $(OUT)/test/bench/compress
	@tests/bench/run
$(OUT)/test/bench/%: $(OUT)/obj/tests/bench/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(quiet_ld)$(CC) $(PL_LDFLAGS) -o $@ $< $(OUT)/lib/libcommon.a $(LIBRARIES)

SOURCES = $(shell git ls-files '*.c' '*.h')
format:
	clang-format -i $(SOURCES)

lint:
	@tests/setup lint
	@tests/run lint

dist: all
	@ci/dist $(OUT)/dist

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	ln -sf pl-gcp-auth $(DESTDIR)$(PREFIX)/bin/docker-credential-pl
	completions/install "$(DESTDIR)$(PREFIX)"
	install -d $(DESTDIR)$(PREFIX)/share/doc/pl/docs/tools
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/pl
	install -m 644 docs/*.md $(DESTDIR)$(PREFIX)/share/doc/pl/docs
	install -m 644 docs/tools/*.md $(DESTDIR)$(PREFIX)/share/doc/pl/docs/tools

# What install put there, and nothing else.
uninstall:
	cd $(DESTDIR)$(PREFIX)/bin && rm -f $(TOOLS) docker-credential-pl
	completions/install --remove "$(DESTDIR)$(PREFIX)"
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/pl

clean:
	rm -rf $(OUT)

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
.PHONY: dist all completions generated tests check demo bench format lint install uninstall clean check-unit check-lint check-cli check-wire check-engine check-e2e check-variants
.SECONDARY:
