# Everything anyone runs.  `make help` lists it; V=1 shows the commands.

VERSION := 0.1.0
PREFIX  ?= /usr/local
CC      := gcc

# ---- how it is built: plain, SAN=1 (ASan + UBSan), TSAN=1, FAULTS=1 (fault points, for chaos)
FLAVOUR := $(if $(SAN),san,$(if $(TSAN),tsan))
B       := build$(if $(FLAVOUR),/$(FLAVOUR))

WARN   := -Wall -Wextra -Wshadow -Wformat=2 -Wcast-qual -Wwrite-strings -Wstrict-prototypes \
          -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
HARDEN := -fPIE -fstack-protector-strong
LINK   := -pie -Wl,-z,relro,-z,now
ifdef SAN
SPECIAL := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifdef TSAN
SPECIAL := -fsanitize=thread -fno-omit-frame-pointer
else
HARDEN  += -D_FORTIFY_SOURCE=2
endif
LIBS    := libcurl jansson libpcre2-8 zlib sqlite3 libmicrohttpd libxxhash
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DTOWLINE_VERSION='"$(VERSION)"' -DTOWLINE_CONF='"/etc/towline"' \
          -Iinclude $(WARN) $(HARDEN) $(CFLAGS) $(SPECIAL) -pthread -MMD -MP
LDLIBS   = $(shell pkg-config --libs $(LIBS)) -lm

SRC  := $(wildcard parsers/*.c src/*/*.c src/*.c)
OBJ  := $(SRC:%.c=$(B)/%.o)
CORE := $(filter-out $(B)/src/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
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
$(B)/%.o: %.c Makefile | build/.need-build
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/unit/%: tests/unit/%.c $(B)/libtowline.a Makefile | build/.need-unit
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LINK) -o $@ $< $(B)/libtowline.a $(LDLIBS) -lcmocka

$(B)/bench/%: tests/bench/%.c Makefile | build/.need-build
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LINK) -o $@ $< -lz -lm -lxxhash

build/.need-%: tools/packages
	$(Q)mkdir -p build && tools/need $* && touch $@

# ---- tests
.PHONY: unit unit-bin bench-bin

unit-bin: $(UNIT)

unit: $(UNIT) ## run the unit tests
	$(Q)for t in $^; do $$t > $$t.out 2>&1 && printf '  %-6s %s\n' ok $${t##*/} || { cat $$t.out; exit 1; }; done

bench-bin: $(BENCH)

clean: ## remove build/
	$(Q)rm -rf build

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

-include $(OBJ:.o=.d) $(UNIT:%=%.d) $(BENCH:%=%.d)
