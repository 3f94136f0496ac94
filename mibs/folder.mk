# the MIB: texts with the build's enterprise number, the base texts for the linter, the agent that serves it
MIB_TEXTS := $(patsubst mibs/%,$B/mibs/%,$(wildcard mibs/*.txt))

$B/mibs/%.txt: mibs/%.txt
	$(call say,MIB,$@)mkdir -p $(@D); sed 's/{ enterprises 32473 }/{ enterprises $(PEN) }/' $< >$@

# Debian carries the IETF's texts only in erlang-snmp, with a suffix that libsmi and net-snmp do not look for
$B/mibs/base/.made:
	$(call say,MIB,$(@D))mkdir -p $(@D); n=0; for f in /usr/lib/erlang/lib/snmp-*/mibs/*.mib; do [ -e "$$f" ] || continue; \
	  b=$${f##*/}; cp "$$f" $(@D)/$${b%.mib}; n=$$((n+1)); done; \
	  [ $$n -gt 0 ] || { echo "mibs: no base MIB texts: install erlang-snmp" >&2; exit 1; }; touch $@

.PHONY: mibs lint-mibs
mibs: $(MIB_TEXTS) $B/mibs/base/.made
all: $(MIB_TEXTS)
check check-long: mibs
tests: mibs # some read the MIB with net-snmp's own tools
lint-mibs: $(MIB_TEXTS) $B/mibs/base/.made
	$(call say,LINT,mibs)for f in $(MIB_TEXTS); do out=$$(SMIPATH=$B/mibs/base:$B/mibs smilint -l 6 $$f 2>&1); \
	  [ -z "$$out" ] || { echo "$$out"; exit 1; }; done
