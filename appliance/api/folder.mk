# the api role: HTTP and JSON, the web page, metrics
$(eval $(call library,api,$(wildcard appliance/api/*.c),libmicrohttpd gnutls jansson libevent_core))
$(eval $(call program,libexec/glory/glory-api,appliance/api/role/main.c,api board proc loop base,libmicrohttpd gnutls jansson libevent_core libseccomp libcap-ng,-lm))
$(eval $(call program,tests/apitool,tests/system/apitool.c,board proc loop base,libevent_core,-lm))
$(eval $(call unit,test_api,tests/unit/test_api.c,api board proc loop base,libmicrohttpd gnutls jansson libevent_core libseccomp libcap-ng,-lm))
$(eval $(call systemtest,tests/system/api.sh))
$(eval $(call fuzzer,fuzz_api_request,tests/fuzz/fuzz_api_request.c,$(wildcard appliance/api/*.c appliance/board/*.c appliance/base/*.c) appliance/proc/channel.c appliance/loop/loop.c,libmicrohttpd gnutls jansson libevent_core,-lm))
$(eval $(call unit,test_https,tests/unit/test_https.c,api board proc loop base,libmicrohttpd gnutls jansson libevent_core libseccomp libcap-ng,-lm))
$(eval $(call fuzzer,fuzz_api_login,tests/fuzz/fuzz_api_login.c,appliance/api/login.c appliance/api/crowd.c $(wildcard appliance/base/*.c),gnutls,-lm))
