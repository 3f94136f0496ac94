# the wanted state and the appliance's own settings; libxml2 only in config_xml, which only glory-xml links
CONFIG_SCHEMAS := appliance/etc/cluster.rng appliance/etc/gloryd.rng
$B/gen/config_schema.c: $(CONFIG_SCHEMAS) appliance/config/embed.awk
	$(call say,GEN,$@)mkdir -p $(@D); awk -f appliance/config/embed.awk $(CONFIG_SCHEMAS) >$@

CONFIG_XML := $(addprefix appliance/config/,xml_document.c xml_cluster.c xml_settings.c)
CONFIG_PLAIN := $(filter-out $(CONFIG_XML) %/xml_main.c,$(wildcard appliance/config/*.c))
$(eval $(call library,config,$(CONFIG_PLAIN),jansson))
$(eval $(call library,config_xml,$(CONFIG_XML) $B/gen/config_schema.c,libxml-2.0))
$(eval $(call program,libexec/glory/glory-xml,appliance/config/xml_main.c,config_xml config base,libxml-2.0 libseccomp jansson,-lm))
$(eval $(call unit,test_config,tests/unit/test_config.c,config base,jansson,-lm))
$(eval $(call unit,test_config_service,tests/unit/test_config_service.c,config base,jansson,-lm))
$(eval $(call unit,test_threshold,tests/unit/test_threshold.c,config base,jansson,-lm))
$(eval $(call unit,test_expression,tests/unit/test_expression.c,config base,jansson,-lm))
$(eval $(call unit,test_config_xml,tests/unit/test_config_xml.c,config_xml config base,libxml-2.0 jansson,-lm))
$B/tests/test_config_xml: | $B/libexec/glory/glory-xml

CONFIG_FUZZED := $(CONFIG_PLAIN) $(filter-out %/wheel.c,$(wildcard appliance/base/*.c))
$(eval $(call fuzzer,fuzz_cluster_xml,tests/fuzz/fuzz_cluster_xml.c,$(CONFIG_XML) $B/gen/config_schema.c $(CONFIG_FUZZED),libxml-2.0 jansson,-lm))
$(eval $(call fuzzer,fuzz_settings_xml,tests/fuzz/fuzz_settings_xml.c,$(CONFIG_XML) $B/gen/config_schema.c $(CONFIG_FUZZED),libxml-2.0 jansson,-lm))
$(eval $(call fuzzer,fuzz_cluster_pack,tests/fuzz/fuzz_cluster_pack.c,$(CONFIG_FUZZED),jansson,-lm))
$(eval $(call fuzzer,fuzz_config_json,tests/fuzz/fuzz_config_json.c,$(CONFIG_FUZZED),jansson,-lm))
$(eval $(call fuzzer,fuzz_expression,tests/fuzz/fuzz_expression.c,appliance/config/expression.c $(filter-out %/wheel.c,$(wildcard appliance/base/*.c)),,-lm))
