# Graft: grows a new head on a pretrained ONNX model.
#
#   make            build/graft, build/libgraft.a, build/libgraft.so
#   make test       all tests          make demo    from cats to tigers
#   make help       everything else
#
# Knobs:
#   BUILD=build        where everything goes (out of tree)
#   CC=cc CFLAGS=-O2   yours; the project's own flags are added, not replaced
#   DEVELOPER=1        warnings are errors
#   SANITIZE=address,undefined
#   PREFIX=/usr/local DESTDIR=
#   V=1                show the commands
#   FOLDERS="base tensor ..."   build only these folders of src/ and tests/
#   T=pattern          run only tests whose name contains this

BUILD ?= build
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
FOLDERS ?= base tensor kernels dist report graph ops program onnx data \
           train task api cli
T ?=

PKGS = libprotobuf-c openblas jansson libxxhash
WARN = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
       -Wmissing-prototypes -Wvla -Wformat=2 -Wno-format-nonliteral \
       $(if $(DEVELOPER),-Werror)
SAN = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
GRAFT_CPPFLAGS = -Iinclude -Isrc -I$(BUILD)/gen -D_GNU_SOURCE
GRAFT_CFLAGS = -std=c11 -fPIC -fvisibility=hidden -ffp-contract=off -pthread \
               $(WARN) $(SAN) $(GRAFT_CPPFLAGS) -MMD -MP
# Loops over plain arrays are left to the compiler's vectoriser.
KERNEL_CFLAGS = -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math
ISA_avx2 = -mavx2 -mfma -mf16c
ISA_avx512 = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mf16c \
             -mprefer-vector-width=512
LIBS = -lprotobuf-c -lopenblas -ljansson -llbfgs -lm -pthread
Q = $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)" $(patsubst $(BUILD)/%,%,$@))

TABLES = op pass cmd ds task solver
GEN = $(TABLES:%=$(BUILD)/gen/table_%.c)
LIB_FOLDERS = $(filter-out cli,$(FOLDERS))
MACHINE := $(shell $(CC) -dumpmachine)
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
TEST_SRC = tests/runner.c $(sort $(wildcard tests/support/*.c)) \
           $(sort $(foreach f,$(LIB_FOLDERS),$(wildcard tests/$f/test_*.c)))
TEST_OBJ = $(TEST_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/table_test.o

.SUFFIXES:
.PHONY: all lib test clean
all: $(BUILD)/graft lib
lib: $(BUILD)/libgraft.a

# ---- objects ----------------------------------------------------------------

$(BUILD)/src/kernels/isa_avx2.o: EXTRA = $(KERNEL_CFLAGS) $(ISA_avx2)
$(BUILD)/src/kernels/isa_avx512.o: EXTRA = $(KERNEL_CFLAGS) $(ISA_avx512)
$(BUILD)/src/kernels/isa_generic.o: EXTRA = $(KERNEL_CFLAGS)
$(BUILD)/gen/onnx.pb-c.o: EXTRA = -w
$(BUILD)/tests/%.o: GRAFT_CPPFLAGS += -Itests

$(BUILD)/%.o: %.c $(BUILD)/flags | $(if $(filter onnx,$(FOLDERS)),$(BUILD)/gen/onnx.pb-c.h)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) $(GRAFT_CFLAGS) $(EXTRA) -c $< -o $@
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) $(GRAFT_CFLAGS) $(EXTRA) -c $< -o $@

# Everything is rebuilt when compiler or flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(SAN) $(DEVELOPER)' | cmp -s - $@ || \
	 echo '$(CC) $(CFLAGS) $(SAN) $(DEVELOPER)' > $@
FORCE:

$(BUILD)/gen/onnx.pb-c.c $(BUILD)/gen/onnx.pb-c.h &: proto/onnx.proto
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
$(BUILD)/run-tests: $(TEST_OBJ) $(BUILD)/libgraft.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SAN) -pthread -o $@ $^ $(LDFLAGS) -lcmocka $(LIBS)

test: $(BUILD)/run-tests
	$(Q)$(BUILD)/run-tests $(T)

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TEST_OBJ:.o=.d)
