# Graft: grows a new head on a pretrained ONNX model.
# SPDX-License-Identifier: Apache-2.0
#
#   make            build/graft, build/libgraft.a, build/libgraft.so
#   make test       all tests: units, gradients, command line, installation
#   make demo       from cats to tigers, with pictures drawn on the spot
#   make pretrain   pretrained/graft-mini.onnx anew, from drawings, by Graft
#   make deps       installs the Debian packages that Graft is built from
#   make install    program, libraries, headers, man page, pkg-config file
#   make test-asan  tests under the address, undefined and thread sanitizers
#   make test-aarch64  unit tests as aarch64, by qemu (what it needs: below)
#   make check      layers, headers alone, banned calls, exported symbols
#   make reference  our files and figures against ONNX Runtime and Pillow
#   make proof      gradients of whole networks against PyTorch in float64
#   make bench      speed and memory beside ONNX Runtime and PyTorch
#   make bench-auto  --unfreeze auto beside the plain head, a table
#   make bench-kernels  GF/s of convolutions, and spills in their hot loops
#   make fuzz       T seconds (60) of each fuzz target, or FUZZ="import ..."
#   make stats      sizes: functions, files, program, libraries it needs
#   make lib | uninstall | dist | clean | help
#
# Knobs:
#   BUILD=build        where everything goes (out of tree)
#   CC=cc CFLAGS=-O2   yours; the project's own flags are added, not replaced
#   DEVELOPER=1        warnings are errors
#   SANITIZE=address,undefined
#   REAL=double        the checking build: everything computed in double
#   PREFIX=/usr/local DESTDIR=
#   V=1                show the commands
#   DEPS=no            make test and make demo install nothing by themselves
#   TURBOJPEG=no       build without libjpeg-turbo even where it is installed
#   VENV=build/venv    Python with the references (made by make bench)
#   FOLDERS="base tensor ..."   build only these folders of src/ and tests/
#   T=pattern          run only unit tests whose name contains this

BUILD ?= build
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
FOLDERS ?= base tensor kernels dist report graph ops program onnx data \
           train task api cli
T ?=
VENV ?= $(BUILD)/venv
VERSION := $(shell sed -n 's/.*return "\([0-9.]*\)";.*/\1/p' \
             src/base/runtime.c)
SONAME = libgraft.so.$(firstword $(subst ., ,$(VERSION)))

WARN = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
       -Wmissing-prototypes -Wvla -Wformat=2 -Wno-format-nonliteral \
       $(if $(DEVELOPER),-Werror)
SAN = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer \
      -fno-sanitize-recover=all)
TURBO := $(if $(filter no,$(TURBOJPEG)),,$(shell pkg-config --exists \
         libturbojpeg 2>/dev/null && echo yes))
DEFS = $(if $(TURBO),-DGRAFT_HAVE_TURBOJPEG) \
       $(if $(filter double,$(REAL)),-DGRAFT_REAL_DOUBLE)
GRAFT_CPPFLAGS = -Iinclude -Isrc -I$(BUILD)/gen -D_GNU_SOURCE= $(DEFS)
GRAFT_CFLAGS = -std=c11 -fPIC -fvisibility=hidden -ffp-contract=off -pthread \
               $(WARN) $(SAN) $(GRAFT_CPPFLAGS) -MMD -MP
# Loops over plain arrays are left to the compiler's vectoriser.
KERNEL_CFLAGS = -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math
ISA_avx2 = -mavx2 -mfma -mf16c
ISA_avx512 = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mf16c \
             -mprefer-vector-width=512
LIBS = -Wl,--as-needed -lprotobuf-c -lopenblas -ljansson -llbfgs \
       $(if $(TURBO),-lturbojpeg) -lm -pthread
Q = $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)" $(patsubst $(BUILD)/%,%,$@))

TABLES = op pass cmd ds task solver
GEN = $(TABLES:%=$(BUILD)/gen/table_%.c)
LIB_FOLDERS = $(filter-out cli,$(FOLDERS))
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
NOT_HERE = $(if $(filter x86_64-%,$(MACHINE)),,src/kernels/isa_avx2.c \
           src/kernels/isa_avx512.c)
LIB_SRC = $(filter-out $(NOT_HERE),$(sort $(foreach f,$(LIB_FOLDERS),\
          $(wildcard src/$f/*.c))))
LIB_OBJ = $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/table_op.o \
          $(BUILD)/gen/table_pass.o $(BUILD)/gen/table_ds.o \
          $(BUILD)/gen/table_task.o $(BUILD)/gen/table_solver.o \
          $(if $(filter onnx,$(FOLDERS)),$(BUILD)/gen/onnx.pb-c.o)
CLI_SRC = $(if $(filter cli,$(FOLDERS)),$(sort $(wildcard src/cli/*.c)))
CLI_OBJ = $(CLI_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/table_cmd.o
# The conformance suite needs a program and an importer.
TEST_SRC = tests/runner.c $(sort $(wildcard tests/support/*.c)) \
           $(sort $(foreach f,$(LIB_FOLDERS) \
           $(if $(and $(filter program,$(FOLDERS)),\
           $(filter onnx,$(FOLDERS))),conformance),\
           $(wildcard tests/$f/test_*.c)))
TEST_OBJ = $(TEST_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/table_test.o

.SUFFIXES:
.PHONY: all lib test test-run test-double test-asan test-tsan check stats \
        bench bench-kernels reference demo demo-run deps install uninstall dist clean help
all: $(if $(filter cli,$(FOLDERS)),$(BUILD)/graft) lib
lib: $(BUILD)/libgraft.a $(if $(filter api,$(FOLDERS)),$(BUILD)/libgraft.so)

# ---- what must be installed ---------------------------------------------------

# Targets that people run first install what is missing; the others say so.
AUTO = $(if $(filter no,$(DEPS)),,$(filter test test-asan test-tsan demo pretrain,\
       $(MAKECMDGOALS)))
$(BUILD)/deps.ok: .ci/deps
	@mkdir -p $(@D)
	@CC='$(CC)' sh .ci/deps $(if $(AUTO),install,check)
	@touch $@
deps:
	@mkdir -p $(BUILD)
	@CC='$(CC)' sh .ci/deps install
	@touch $(BUILD)/deps.ok

# ---- objects ----------------------------------------------------------------

$(BUILD)/src/kernels/isa_avx2.o: EXTRA = $(KERNEL_CFLAGS) $(ISA_avx2)
$(BUILD)/src/kernels/isa_avx512.o: EXTRA = $(KERNEL_CFLAGS) $(ISA_avx512)
$(BUILD)/src/kernels/isa_generic.o: EXTRA = $(KERNEL_CFLAGS)
$(BUILD)/gen/onnx.pb-c.o: EXTRA = -w
# stb_image adds and shifts the numbers of damaged files without looking.
$(BUILD)/src/data/image.o: EXTRA = -fwrapv
# No arithmetic traps: both sides of a choice may be computed, in vectors.
$(BUILD)/src/data/colour.o: EXTRA = -fno-trapping-math
$(BUILD)/tests/%.o: GRAFT_CPPFLAGS += -Itests
# stb_image_write, which these tests draw with, shifts signed numbers.
$(BUILD)/tests/data/%.o: EXTRA = $(if $(SANITIZE),-fno-sanitize=shift)

$(BUILD)/%.o: %.c $(BUILD)/flags | $(BUILD)/deps.ok $(if $(filter onnx,$(FOLDERS)),$(BUILD)/gen/onnx.pb-c.h)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) $(GRAFT_CFLAGS) $(EXTRA) -c $< -o $@
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) $(GRAFT_CFLAGS) $(EXTRA) -c $< -o $@

# Everything is rebuilt when compiler or flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(SAN) $(DEVELOPER) $(DEFS)' | cmp -s - $@ || \
	 echo '$(CC) $(CFLAGS) $(SAN) $(DEVELOPER) $(DEFS)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/gen/onnx.pb-c.c $(BUILD)/gen/onnx.pb-c.h &: proto/onnx.proto | $(BUILD)/deps.ok
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=proto --c_out=$(BUILD)/gen onnx.proto

# ---- tables from file names -------------------------------------------------
# table_KIND.c lists what src/*/KIND_*.c define: graft_KIND_NAME.

table_type_op = struct graft_op
table_type_cmd = struct graft_command
table_type_ds = struct graft_ds
table_type_task = struct graft_task
table_type_solver = struct graft_solver
table_dir_op = ops
table_dir_pass = program
table_dir_cmd = cli
table_dir_ds = data
table_dir_task = task
table_dir_solver = train
names = $(if $(filter $(table_dir_$1),$(FOLDERS)),$(patsubst \
        src/$(table_dir_$1)/$1_%.c,%,$(sort $(wildcard \
        src/$(table_dir_$1)/$1_*.c))))

# op: each file defines an array of rows ended by one with name NULL.
$(BUILD)/gen/table_op.c: $(BUILD)/gen/names_op
	@{ echo '#include "graph/op.h"'; \
	for n in $$(cat $<); do echo "extern const struct graft_op graft_op_$$n[];"; done; \
	echo 'extern const struct graft_op *const graft_op_files[];'; \
	echo 'const struct graft_op *const graft_op_files[] = {'; \
	for n in $$(cat $<); do echo "    graft_op_$$n,"; done; \
	echo '    NULL};'; } > $@
# pass: pass_NN_name.c defines int graft_pass_name(struct graft_compiler *).
$(BUILD)/gen/table_pass.c: $(BUILD)/gen/names_pass
	@{ echo '#include <stddef.h>'; echo 'struct graft_compiler;'; \
	for n in $$(cat $<); do echo "int graft_pass_$${n#*_}(struct graft_compiler *);"; done; \
	echo 'struct graft_pass { const char *name; int (*run)(struct graft_compiler *); };'; \
	echo 'extern const struct graft_pass graft_passes[];'; \
	echo 'const struct graft_pass graft_passes[] = {'; \
	for n in $$(cat $<); do echo "    {\"$${n#*_}\", graft_pass_$${n#*_}},"; done; \
	echo '    {NULL, NULL}};'; } > $@
# the others: each file defines one row.
$(BUILD)/gen/table_%.c: $(BUILD)/gen/names_%
	@{ echo '#include <stddef.h>'; echo '$(table_type_$*);'; \
	for n in $$(cat $<); do echo "extern const $(table_type_$*) graft_$*_$$n;"; done; \
	echo 'extern const $(table_type_$*) *const graft_$*_table[];'; \
	echo 'const $(table_type_$*) *const graft_$*_table[] = {'; \
	for n in $$(cat $<); do echo "    &graft_$*_$$n,"; done; \
	echo '    NULL};'; } > $@
$(BUILD)/gen/names_%: FORCE
	@mkdir -p $(@D)
	@echo '$(call names,$*)' | cmp -s - $@ || echo '$(call names,$*)' > $@
# tests: every line TEST(name) of the sources.
$(BUILD)/gen/table_test.c: $(TEST_SRC) $(BUILD)/gen/names_test
	@{ echo '#include "test.h"'; \
	sed -n 's/^TEST(\([a-z0-9_]*\)).*/void graft_test_\1(void **);/p' $(TEST_SRC); \
	echo 'const struct graft_test graft_tests[] = {'; \
	sed -n 's/^TEST(\([a-z0-9_]*\)).*/    {"\1", graft_test_\1},/p' $(TEST_SRC); \
	echo '    {NULL, NULL}};'; } > $@
$(BUILD)/gen/names_test: FORCE
	@mkdir -p $(@D)
	@echo '$(TEST_SRC)' | cmp -s - $@ || echo '$(TEST_SRC)' > $@
$(BUILD)/gen/table_test.o: GRAFT_CPPFLAGS += -Itests
.SECONDARY:

# ---- libraries and programs -------------------------------------------------

$(BUILD)/libgraft.a: $(LIB_OBJ)
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/graft: $(CLI_OBJ) $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SAN) -pthread -o $@ $^ $(LDFLAGS) $(LIBS)
# Tests' helpers in an archive: those that no chosen test uses may need folders
# that were not chosen.
SUPPORT_OBJ = $(filter $(BUILD)/tests/support/%,$(TEST_OBJ))
$(BUILD)/support.a: $(SUPPORT_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/run-tests: $(filter-out $(SUPPORT_OBJ),$(TEST_OBJ)) \
                    $(BUILD)/support.a $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SAN) -pthread -o $@ $^ $(LDFLAGS) -lcmocka $(LIBS)

# Only what the headers mark GRAFT_API leaves the shared library.
$(BUILD)/libgraft.so: $(LIB_OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SAN) -shared -Wl,-soname,$(SONAME) -pthread \
	   -o $@ $^ $(LDFLAGS) $(LIBS)
	$(Q)ln -sf libgraft.so $(BUILD)/$(SONAME)

# ---- tests --------------------------------------------------------------------
# With T=pattern: just the unit tests that match. Without: everything, and a
# closing line with the count.

SUB = +$(Q)$(MAKE) --no-print-directory
ENV = BUILD='$(BUILD)' CC='$(CC)' CFLAGS='$(CFLAGS)' VENV='$(VENV)' \
      MAKE='$(MAKE)' VERSION='$(VERSION)' V='$(V)'
NAMED_GRADIENT = $(if $(TEST_SRC),$(shell grep -l '^TEST..*gradient' \
                 $(TEST_SRC)))

# Twice make: what deps has just installed is seen by the second one only.
test: $(BUILD)/deps.ok
	$(SUB) $(if $(T),test-units,test-run)
.PHONY: test-units
test-units: $(BUILD)/run-tests
	$(Q)$(BUILD)/run-tests $(T)

HAS_CLI = $(if $(filter cli,$(FOLDERS)),$(wildcard tests/cli/test_*.sh))
test-run: $(BUILD)/run-tests $(if $(HAS_CLI),$(BUILD)/graft $(BUILD)/draw lib)
	$(if $(NAMED_GRADIENT),$(SUB) BUILD=$(BUILD)/double REAL=double \
	   $(BUILD)/double/run-tests)
	$(Q)$(ENV) bash tests/all.sh units $(if $(NAMED_GRADIENT),gradients) \
	   $(if $(HAS_CLI),cli install)

# One pattern in the build that computes in double: make test-double T=conv
test-double: $(BUILD)/deps.ok
	$(SUB) BUILD=$(BUILD)/double REAL=double test-units \
	   T='$(or $(T),gradient)'

# Sanitizers make gcc warn of what cannot happen, so warnings stay warnings.
ASAN = BUILD=$(BUILD)/asan SANITIZE=address,undefined CFLAGS='-O1 -g' DEVELOPER=
TSAN = BUILD=$(BUILD)/tsan SANITIZE=thread CFLAGS='-O1 -g' DEVELOPER=
test-asan: $(BUILD)/deps.ok
	$(SUB) $(ASAN) $(BUILD)/asan/run-tests \
	   $(if $(HAS_CLI),$(BUILD)/asan/graft $(BUILD)/asan/draw)
	$(SUB) $(TSAN) $(BUILD)/tsan/run-tests
	$(Q)$(ENV) bash tests/all.sh asan $(if $(HAS_CLI),asan-cli) tsan

# The same sources for another machine. On Debian this needs
#   apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
#   dpkg --add-architecture arm64 && apt-get update
#   apt-get install libPACKAGE-dev:arm64, for each library of .ci/deps
# GRAFT_SHARED says where the real models are; T=pattern chooses tests.
CROSS = BUILD=$(BUILD)/aarch64 CC=aarch64-linux-gnu-gcc
.PHONY: test-aarch64
test-aarch64:
	@command -v qemu-aarch64 aarch64-linux-gnu-gcc >/dev/null || \
	 { echo "test-aarch64 needs qemu-aarch64, aarch64-linux-gnu-gcc and" \
	   "libraries for arm64: see the Makefile" >&2; exit 1; }
	$(SUB) $(CROSS) $(BUILD)/aarch64/run-tests
	$(Q)qemu-aarch64 $(BUILD)/aarch64/run-tests $(T)

check: $(BUILD)/deps.ok
	$(SUB) lib $(BUILD)/graft
	$(Q)$(ENV) bash tests/check/all.sh
stats: all
	$(Q)$(ENV) bash tests/check/stats.sh

# ---- fuzzing ------------------------------------------------------------------
# libFuzzer comes with clang. The library is built once more for it; unrolled
# kernels full of checks take minutes to optimise, so they are not.

FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard \
        tests/fuzz/fuzz_*.c)))
FUZZ_CC ?= clang
FUZZ_SAN = address,undefined
FUZZ_BUILD = BUILD=$(BUILD)/fuzz/build CC='$(FUZZ_CC)' \
             CFLAGS='-O1 -g -fsanitize-ignorelist=tests/fuzz/ignore.txt' \
             KERNEL_CFLAGS='-O0 -ffp-contract=fast' \
             SANITIZE=fuzzer-no-link,$(FUZZ_SAN) DEVELOPER= DEPS=no
FUZZ_SRC = $(wildcard tests/fuzz/*.c)
FUZZ_OBJ = $(FUZZ_SRC:%.c=$(BUILD)/%.o)
.PHONY: fuzz fuzz-programs
fuzz: $(BUILD)/deps.ok
	$(Q)FUZZ_CC='$(FUZZ_CC)' sh tests/fuzz/ready.sh
	$(SUB) $(FUZZ_BUILD) FUZZ='$(FUZZ)' fuzz-programs
	$(Q)$(ENV) T='$(or $(T),60)' bash tests/fuzz/fuzz.sh $(FUZZ)
fuzz-programs: $(FUZZ:%=$(BUILD)/fuzz_%) $(BUILD)/seeds
# What several targets use.
$(BUILD)/fuzz.a: $(patsubst %,$(BUILD)/tests/fuzz/%.o,fuzz mutate \
                 mutate_wire mutate_onnx tree weight describe edit)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/fuzz.a \
                 $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer,$(FUZZ_SAN) \
	   -fno-sanitize-recover=all -pthread -o $@ $^ $(LDFLAGS) $(LIBS)
# stb_image_write again, which draws seeds.
$(BUILD)/tests/fuzz/seeds%.o: EXTRA = -fno-sanitize=shift
$(BUILD)/seeds: $(filter $(BUILD)/tests/fuzz/seeds%,$(FUZZ_OBJ)) \
                $(BUILD)/support.a $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) -fsanitize=$(FUZZ_SAN) -pthread -o $@ $^ \
	   $(LDFLAGS) -lcmocka $(LIBS)

# ---- against others -----------------------------------------------------------

PINNED = onnx==1.23.2 onnxruntime==1.31.1 torch==2.15.0 torchvision==0.29.2 \
         scikit-learn==1.9.1 pillow==13.0.0 numpy==2.4.6 onnxscript==0.7.2 \
         timm==1.0.31
$(VENV)/bin/python:
	python3 -m venv $(VENV)
	$(VENV)/bin/python -m pip install --disable-pip-version-check $(PINNED)
reference: $(VENV)/bin/python all $(BUILD)/draw
	$(Q)$(ENV) bash tests/reference/all.sh
# Whole networks, each stage as freeze point, or those that PROOF names:
#   make proof PROOF="resnet18 squeezenet"
PROOF ?=
PROOFS = $(BUILD)/gradients $(BUILD)/training
$(PROOFS): $(BUILD)/%: $(BUILD)/tests/proof/%.o $(BUILD)/tests/proof/proof.o \
           $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SAN) -pthread -o $@ $^ $(LDFLAGS) $(LIBS)
.PHONY: proof
proof: $(VENV)/bin/python $(PROOFS)
	$(Q)$(VENV)/bin/python tests/proof/networks.py $(BUILD) $(BUILD)/proof \
	   $(PROOF)
# What is run is chosen by BENCH and its like, see tests/bench/bench.py:
#   make bench BENCH="models photos train" (or all), BENCH_PEERS="ort compile"
#   make bench BENCH=models BENCH_MODELS=resnet18 BENCH_PEERS=ort
bench: $(VENV)/bin/python all
	$(Q)$(ENV) BENCH='$(BENCH)' BENCH_MODELS='$(BENCH_MODELS)' \
	   BENCH_PEERS='$(BENCH_PEERS)' BENCH_REPEATS='$(BENCH_REPEATS)' \
	   $(VENV)/bin/python tests/bench/bench.py
# --unfreeze auto beside the probe; what AUTO_TIME and its like choose stands
# in tests/bench/auto.py.
.PHONY: bench-auto
bench-auto: all $(BUILD)/draw
	$(Q)$(ENV) python3 tests/bench/auto.py
# Each instruction set that this processor has, or GRAFT_ISA's; KERNELS are
# threads, images and a pattern of shapes: make bench-kernels KERNELS="1 4 1x1"
KERNELS ?= 1 4
$(BUILD)/bench-kernels: $(BUILD)/tests/bench/bench_kernels.o \
                        $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SAN) -pthread -o $@ $^ $(LDFLAGS) $(LIBS)
bench-kernels: $(BUILD)/bench-kernels
	$(Q)bash tests/bench/spills.sh $(filter $(BUILD)/src/kernels/isa_%,$(LIB_OBJ))
	$(Q)$(BUILD)/bench-kernels $(KERNELS)

# ---- from cats to tigers ------------------------------------------------------

DRAW_SRC = $(sort $(wildcard examples/draw*.c))
$(BUILD)/draw: $(DRAW_SRC) $(wildcard examples/draw*.h) | $(BUILD)/deps.ok
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -O2 -std=c11 -pthread -o $@ $(DRAW_SRC) -lm
demo: $(BUILD)/deps.ok
	$(SUB) demo-run
demo-run: $(BUILD)/graft $(BUILD)/draw
	$(Q)$(ENV) sh examples/demo.sh

# ---- the backbone that comes with Graft ---------------------------------------
# Draws 27,300 pictures and trains on them for some ten minutes; takes 5 GB of
# memory, or longer with less. What it writes and when: pretrained/pretrain.sh.

$(BUILD)/make_mini: $(BUILD)/pretrained/make_mini.o $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SAN) -pthread -o $@ $^ $(LDFLAGS) $(LIBS)
.PHONY: pretrain pretrain-run
pretrain: $(BUILD)/deps.ok
	$(SUB) pretrain-run
pretrain-run: $(BUILD)/graft $(BUILD)/draw $(BUILD)/make_mini
	$(Q)$(ENV) sh pretrained/pretrain.sh

# ---- installation -------------------------------------------------------------

D = $(DESTDIR)$(PREFIX)
HEADERS = $(wildcard include/graft/*.h)
install: all
	install -d $(D)/bin $(D)/lib/pkgconfig $(D)/include/graft \
	   $(D)/share/man/man1 $(D)/share/graft
	install $(BUILD)/graft $(D)/bin/graft
	install -m 644 $(BUILD)/libgraft.a $(D)/lib/libgraft.a
	install -m 755 $(BUILD)/libgraft.so $(D)/lib/libgraft.so.$(VERSION)
	ln -sf libgraft.so.$(VERSION) $(D)/lib/$(SONAME)
	ln -sf $(SONAME) $(D)/lib/libgraft.so
	install -m 644 include/graft.h $(D)/include/graft.h
	install -m 644 $(HEADERS) $(D)/include/graft/
	install -m 644 src/cli/graft.1 $(D)/share/man/man1/graft.1
	install -m 644 $(wildcard pretrained/*.onnx) $(D)/share/graft/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	   -e 's|@LIBS@|$(LIBS)|' src/api/graft.pc.in \
	   > $(D)/lib/pkgconfig/graft.pc
	chmod 644 $(D)/lib/pkgconfig/graft.pc
uninstall:
	rm -f $(D)/bin/graft $(D)/lib/libgraft.a $(D)/lib/libgraft.so \
	   $(D)/lib/$(SONAME) $(D)/lib/libgraft.so.$(VERSION) \
	   $(D)/lib/pkgconfig/graft.pc $(D)/share/man/man1/graft.1
	rm -rf $(D)/include/graft $(D)/include/graft.h $(D)/share/graft

dist:
	@mkdir -p $(BUILD)
	git archive --format=tar.gz --prefix=graft-$(VERSION)/ \
	   -o $(BUILD)/graft-$(VERSION).tar.gz HEAD
	@echo $(BUILD)/graft-$(VERSION).tar.gz
clean:
	rm -rf $(BUILD)
help:
	@sed -n '/^#/!q; /SPDX/d; s/^# \{0,1\}//p' Makefile

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TEST_OBJ:.o=.d) \
   $(FUZZ_OBJ:.o=.d) $(wildcard $(BUILD)/tests/proof/*.d) \
   $(BUILD)/pretrained/make_mini.d
