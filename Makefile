# Everything anyone runs.  `make help` lists it; V=1 shows the commands.

VERSION := 0.1.0
PREFIX  ?= /usr/local
ifeq ($(origin CC),default)
CC      := gcc
endif

comma := ,
# NAME = $(call once,NAME,VALUE): VALUE is found out when NAME is first used, which is
# when the packages are there.  takes: the flags, where the compiler takes them.
once  = $(eval $1 := $2)$($1)
takes = $(shell $(CC) -Werror $1 -x c -c -o /dev/null /dev/null 2> /dev/null && echo '$1')

# ---- how it is built: plain, SAN=1 (ASan + UBSan), TSAN=1, FAULTS=1 (fault points, for chaos),
# COVERAGE=1 (counts what is run), FUZZ=1 (libFuzzer's, which is clang's)
FLAVOUR := $(if $(SAN),san,$(if $(TSAN),tsan))$(if $(FAULTS),faults)$(if $(COVERAGE),coverage)$(if $(FUZZ),fuzz)
B       := build$(if $(FLAVOUR),/$(FLAVOUR))

WARN   := -Wall -Wextra -Wshadow -Wformat=2 -Wcast-qual -Wwrite-strings -Wstrict-prototypes \
          -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
STRICT := -Wconversion -Wsign-conversion
HARDEN := -fPIE -fstack-protector-strong
LINK    = -pie -Wl,-z,relro,-z,now $(LTO)
# gcc's `rep stos` and `rep movs` for small structs are slow to start (x86 alone has these flags).
STRATEGY = $1_loop:1024:noalign$(comma)libcall:-1:noalign
SPEED   = $(call once,SPEED,$(call takes,-mmemset-strategy=$(call STRATEGY,vector) -mmemcpy-strategy=$(call STRATEGY,unrolled)))
ifdef SAN
SPECIAL := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifdef TSAN
SPECIAL := -fsanitize=thread -fno-omit-frame-pointer
else ifdef FUZZ
SPECIAL := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifdef COVERAGE
SPECIAL := --coverage -fprofile-update=atomic -DCOVERAGE='"$(abspath $(B))"'
CFLAGS  ?= -O0 -g
else
# Level 3 where the compiler can tell an object's size while running (gcc 12, clang).
LEVEL    = $(if $(call takes,-O2 -D_FORTIFY_SOURCE=3 -include features.h),3,2)
# -ftrivial-auto-var-init=zero is not among them: a tenth of the CPU time of a line.
GUARDS   = -fstack-clash-protection -fcf-protection
GUARD    = $(call once,GUARD,-D_FORTIFY_SOURCE=$(LEVEL) $(foreach f,$(GUARDS),$(call takes,$f)))
# gcc optimises the program once more as it is linked: 2 % fewer instructions a line.  Tests link
# the objects as they are.  Another compiler would ask for a linker of its own; CFLAGS may choose.
GCC      = $(findstring Free Software,$(shell $(CC) --version))
LTO      = $(if $(FAULTS)$(filter -fanalyzer -flto% -fno-lto,$(CFLAGS)),,$(call once,LTO,$(if $(GCC),$(call takes,-flto=auto -ffat-lto-objects))))
endif
ifdef FAULTS
SPECIAL += -DFAULTS
endif
LIBS    := libcurl jansson libpcre2-8 zlib sqlite3 libmicrohttpd libxxhash yaml-0.1 gnutls libcrypt lua5.1 libsystemd
# Packs request bodies where it is (Debian: amd64, arm64); ISAL= leaves it to zlib.
ISAL     = $(call once,ISAL,$(shell pkg-config --exists libisal && echo libisal))
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DTOWLINE_VERSION='"$(VERSION)"' -DTOWLINE_CONF='"/etc/towline"' \
          -Iinclude $(if $(ISAL),-DISAL) $(WARN) $(HARDEN) $(GUARD) $(SPEED) $(CFLAGS) $(SPECIAL) -pthread -MMD -MP
LDLIBS   = $(call once,LDLIBS,$(shell pkg-config --libs $(LIBS) $(ISAL)) -lm)
NEED    := build/.need-build $(if $(findstring clang,$(CC)),build/.need-clang) $(if $(FUZZ),build/.need-fuzz)

SRC  := $(wildcard parsers/*.c src/*/*.c src/*.c)
OBJ  := $(SRC:%.c=$(B)/%.o)
CORE := $(filter-out $(B)/src/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' "$(1)" "$(2)")

.PHONY: all help clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/towline ## build build/towline (SAN=1: ASan and UBSan, TSAN=1: threads)

$(B)/towline: $(OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SPECIAL) $(LINK) -pthread -o $@ $^ $(LDLIBS)

$(B)/libtowline.a: $(CORE)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

# Headers of the libraries must be there before the first compilation.
$(B)/%.o: %.c Makefile | $(NEED)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(STRICT) $(ALL_CFLAGS) $(LTO) -c -o $@ $<

# These are inside of it, by the assembler, which names what gcc does not see.
$(B)/src/cmd/setup.o: $(wildcard conf/elasticsearch/*.ndjson conf/elasticsearch/*/*.json)
$(B)/src/cmd/setup.o: LTO = -fno-lto

$(B)/unit/% $(B)/lint/% build/slow: private LTO := -fno-lto

$(B)/unit/%: tests/unit/%.c $(B)/libtowline.a Makefile | build/.need-unit
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LINK) -o $@ $< $(B)/libtowline.a $(LDLIBS) -lcmocka

$(B)/bench/%: tests/bench/%.c Makefile | $(NEED)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LINK) -o $@ $< -lz -lm -lxxhash

$(B)/fuzz_%: tests/fuzz/fuzz_%.c $(B)/libtowline.a Makefile | build/.need-fuzz
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Itests/unit -fsanitize=fuzzer $(LINK) -o $@ $< $(B)/libtowline.a $(LDLIBS) -lcmocka $(if $(findstring pattern,$@),-lonig)

# Loaded before towline, for chaos --sweep: it has a call fail.
build/chaos/%.so: tests/chaos/%.c Makefile | $(NEED)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -fno-builtin -shared -o $@ $<

build/.need-%: tools/packages
	$(Q)mkdir -p build && tools/need $* && touch $@

# ---- tests
.PHONY: unit unit-bin bench-bin bench chaos chaos-test fuzz fuzz-bin fuzz-slow test bench-idle bench-scrape bench-kube e2e lint audit coverage demo install uninstall dashboards docs image compile_commands.json

test: unit ## all unit and end-to-end tests, with what they need; one after the other
	$(Q)$(MAKE) --no-print-directory e2e

unit-bin: $(UNIT)

unit: $(UNIT) ## the unit tests alone, two at a time
	$(Q)printf '%s\n' $^ | xargs -n 1 -P 2 sh -c '$(UNDER) "$$0" > "$$0.out" 2>&1 && \
		printf "  %-6s %s\n" ok "$${0##*/}" || { cat "$$0.out"; exit 255; }'

e2e: $(B)/towline bench-bin | build/.need-test ## the end-to-end tests alone, two at a time; ARGS= for pytest (-n 0: one)
	$(Q)[ $(B) = build ] || ln -sfn ../conf $(B)/../conf # what is installed lies there
	$(Q)TOWLINE=$(abspath $(B)/towline) $$(tools/venv)/bin/pytest -q -n 2 --dist loadgroup $(or $(ARGS),tests/e2e); \
		was=$$?; [ $(B) = build ] || rm $(B)/../conf; exit $$was

bench-bin: $(BENCH)

chaos: build/chaos/failing.so | build/.need-test ## break it on purpose: nothing lost, nothing twice; ARGS= for chaos.py (--minutes, --seed)
	$(Q)$(MAKE) --no-print-directory FAULTS=1 all
	$(Q)TOWLINE=$(abspath build/$(if $(SAN),san)faults/towline) $$(tools/venv)/bin/python tests/chaos/chaos.py $(ARGS)

chaos-test: build/chaos/failing.so | build/.need-test ## each fault by itself, and that planted bugs are found; ARGS= for pytest
	$(Q)$(MAKE) --no-print-directory FAULTS=1 all
	$(Q)TOWLINE=$(abspath build/$(if $(SAN),san)faults/towline) $$(tools/venv)/bin/pytest -q $(or $(ARGS),tests/chaos)

fuzz-bin: $(FUZZERS)

fuzz: | build/.need-fuzz ## hostile bytes to each parser, and to the whole of tail; MINUTES= of all, ARGS= for fuzz.py
	$(Q)$(MAKE) --no-print-directory FUZZ=1 CC=clang fuzz-bin
	$(Q)python3 tests/fuzz/fuzz.py --minutes $(or $(MINUTES),5) $(ARGS)

build/slow: tests/fuzz/slow.c build/libtowline.a Makefile
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $< build/libtowline.a $(LDLIBS)

fuzz-slow: build/slow ## for each parser of hostile bytes, the text that costs it the most
	$(Q)$<

bench: build/towline bench-bin | build/.need-bench ## what a line costs here, beside peers and the ceiling; ARGS= for bench.py
	$(Q)python3 tests/bench/bench.py $(ARGS)

bench-idle: build/towline ## CPU and memory at rest, with 1,000 files open; ARGS= for idle.py
	$(Q)python3 tests/bench/idle.py $(ARGS)

bench-scrape: build/towline ## what a scrape of 10,000 series costs, and what it costs the reader; ARGS= for scrape.py
	$(Q)python3 tests/bench/scrape.py $(ARGS)

bench-kube: build/towline | build/.need-test ## what the metadata of 1,000 pods costs, on a real API server; ARGS= for kube.py
	$(Q)$$(tools/venv)/bin/python tests/bench/kube.py $(ARGS)

PY       = tests tools/calls tools/dashboards tools/grafana
C_FILES  = $(shell git ls-files '*.c' '*.h')
SH_FILES = $(shell git ls-files | xargs grep -lE '^\#!/bin/(ba)?sh')

$(B)/lint/%: tests/lint/%.c $(B)/libtowline.a Makefile | build/.need-build
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LINK) -o $@ $< $(B)/libtowline.a $(LDLIBS)

dashboards: ## conf/grafana's dashboards, from the tables in tools/grafana
	$(Q)tools/dashboards

docs: $(B)/lint/reference ## docs/configuration.md, docs/towline.schema.json, the table of docs/fluent-bit.md
	$(Q)$< > docs/configuration.md
	$(Q)$< schema > docs/towline.schema.json
	$(Q)tests/lint/differences $< docs/fluent-bit.md > $(B)/fluent-bit.md && cp $(B)/fluent-bit.md docs

lint: $(B)/lint/reference $(B)/towline | build/.need-lint ## formatting, floors, shape, banned functions, planted bugs, docs, shellcheck, ruff
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)python3 tests/lint/floors.py
	$(Q)cd tests/lint && python3 -m doctest objects.py structs.py
	$(Q)python3 tests/lint/shape.py $(B)
	$(Q)tests/lint/banned
	$(Q)tests/lint/bugs
	$(Q)$< | diff -u docs/configuration.md - || { echo 'docs/configuration.md is not what the option tables say: make docs' >&2; exit 1; }
	$(Q)$< schema | diff -u docs/towline.schema.json - || { echo 'docs/towline.schema.json is not what the option tables say: make docs' >&2; exit 1; }
	$(Q)tests/lint/differences $< docs/fluent-bit.md | diff -u docs/fluent-bit.md - || { echo 'docs/fluent-bit.md is not what src/conf/difference.c says: make docs' >&2; exit 1; }
	$(Q)shellcheck $(SH_FILES)
	$(Q)$$(tools/venv)/bin/ruff check -q $(PY) && $$(tools/venv)/bin/ruff format -q --check $(PY)

# Memory and CPU time are not what they are without a sanitizer.
SPARE    := -m "not alone" -k "not memory"
THREADS  := poller poller_hostile resources reload shutdown hosts holds metrics replies kube_access kube_outage kube_restart kube_watch web_config
# What valgrind of Debian 12 cannot run: openat2 (that is, tailing), Landlock, PCRE2's JIT.
BEYOND   := between fence held lives moves parser readers renamed rules tail tail_rotated turn
VALGRIND := valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite

coverage: | build/.need-coverage build/.need-test ## lines and branches that the unit and end-to-end tests run, by folder
	$(Q)rm -rf build/coverage
	$(Q)$(MAKE) --no-print-directory COVERAGE=1 unit
	$(Q)$(MAKE) --no-print-directory COVERAGE=1 e2e ARGS='$(SPARE) tests/e2e'
	$(Q)python3 tests/lint/coverage.py build/coverage

audit: | build/.need-audit build/.need-clang ## long, and rarely tells anything: before a release
	$(Q)tests/servers/prometheus3 promtool > /dev/null # the end-to-end tests use it where it is
	$(Q)scan-build -o build/scan/reports --status-bugs $(MAKE) --no-print-directory B=build/scan all
	$(Q)$(MAKE) --no-print-directory UNDER='$(VALGRIND)' UNIT='$(filter-out $(BEYOND:%=$(B)/unit/test_%),$(UNIT))' unit
	$(Q)$(MAKE) --no-print-directory SAN=1 e2e ARGS='$(SPARE) tests/e2e'
	$(Q)$(MAKE) --no-print-directory coverage
	$(Q)$(MAKE) --no-print-directory TSAN=1 unit
	$(Q)$(MAKE) --no-print-directory TSAN=1 e2e ARGS='$(SPARE) $(THREADS:%=tests/e2e/test_%.py)'
	$(Q)$(MAKE) --no-print-directory chaos-test
	$(Q)$(MAKE) --no-print-directory fuzz MINUTES=30
	$(Q)$(MAKE) --no-print-directory fuzz-slow
	$(Q)$(MAKE) --no-print-directory chaos ARGS='--sweep --jobs 4'
	$(Q)$(MAKE) --no-print-directory chaos ARGS='--minutes 30 --counters'
	$(Q)$(MAKE) --no-print-directory chaos ARGS='--minutes 10 --counters --opensearch'
	$(Q)$(MAKE) --no-print-directory SAN=1 chaos ARGS='--minutes 10 --counters'

# ---- use
define newline


endef
entry = {"directory": "$(CURDIR)", "file": "$1", \
	"command": "$(subst ",\",$(CC) $(STRICT) $(filter-out -MMD -MP -mmem%,$(ALL_CFLAGS)) -c -o $(B)/$(1:.c=.o) $1)"}

compile_commands.json: | $(NEED) ## how each file is compiled, for editors and clang's tools
	$(file > $@,[$(call entry,$(firstword $(SRC)))$(foreach f,\
		$(wordlist 2,$(words $(SRC)),$(SRC)) $(wildcard tests/unit/*.c tests/bench/*.c),$(comma)$(newline)$(call entry,$f))])

demo: $(B)/towline build/bench/gen ## half a minute: agents' logs into SQLite, and what they answer
	$(Q)tools/demo build/bench/gen $(B)/towline

CONFS := towline.conf parsers.conf agent-events.conf

install: $(B)/towline ## install to $(DESTDIR)$(PREFIX), the configuration to $(DESTDIR)/etc/towline
	install -D -m 755 $(B)/towline $(DESTDIR)$(PREFIX)/bin/towline
	install -d $(DESTDIR)/etc/towline $(DESTDIR)/lib/systemd/system
	$(Q)for f in $(CONFS); do to=$(DESTDIR)/etc/towline/$$f; rm -f $$to.new; \
		if [ ! -e $$to ] || cmp -s conf/$$f $$to; then install -m 644 conf/$$f $$to; \
		else install -m 644 conf/$$f $$to.new; echo "$$to was changed: it stays, ours is $$to.new"; fi; done
	install -D -m 644 man/towline.8 $(DESTDIR)$(PREFIX)/share/man/man8/towline.8
	sed 's|@PREFIX@|$(PREFIX)|' conf/towline.service > $(DESTDIR)/lib/systemd/system/towline.service

uninstall: ## remove what install has made, but for changed files in $(DESTDIR)/etc/towline, and the state
	rm -f $(DESTDIR)$(PREFIX)/bin/towline $(DESTDIR)$(PREFIX)/share/man/man8/towline.8
	rm -f $(DESTDIR)/lib/systemd/system/towline.service
	$(Q)for f in $(CONFS); do to=$(DESTDIR)/etc/towline/$$f; rm -f $$to.new; \
		if cmp -s conf/$$f $$to; then rm $$to; elif [ -e $$to ]; then echo "$$to was changed: it stays"; fi; done
	$(Q)rmdir $(DESTDIR)/etc/towline 2> /dev/null || true

image: ## the container image, by docker, podman or buildah; BASE=, TAG=, ENGINE=, ENGINE_ARGS=
	$(Q)BASE='$(BASE)' ENGINE='$(ENGINE)' ENGINE_ARGS='$(ENGINE_ARGS)' tools/image $(VERSION) $(TAG)

clean: ## remove build/
	$(Q)rm -rf build

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9_.-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

-include $(OBJ:.o=.d) $(UNIT:%=%.d) $(BENCH:%=%.d) $(FUZZERS:%=%.d)
