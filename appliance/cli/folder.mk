# gloryctl
CLI_SOURCES := $(filter-out appliance/cli/main.c,$(wildcard appliance/cli/*.c))
$(eval $(call library,cli,$(CLI_SOURCES),jansson))
$(eval $(call program,bin/gloryctl,appliance/cli/main.c,cli client base,libcurl jansson,-lm))
$(eval $(call unit,test_cli,tests/unit/test_cli.c,cli client base,libcurl jansson,-lm))
