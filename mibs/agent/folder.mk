# the agent role: GLORY-CL-MIB from the board, commands by SET, notifications
$(eval $(call library,mibagent,$(wildcard mibs/agent/*.c),netsnmp libevent_core libcrypto))
$(eval $(call program,libexec/glory/glory-agent,mibs/agent/role/main.c,mibagent board proc loop base,netsnmp libevent_core libseccomp libcap-ng libcrypto,-lm))
$(eval $(call program,tests/agenttool,tests/system/agenttool.c,board proc loop base,libevent_core,-lm))
$(eval $(call unit,test_mib_words,tests/unit/test_mib_words.c,base,,-lm))
$(eval $(call unit,test_agent_tables,tests/unit/test_agent_tables.c,mibagent board base,netsnmp libcrypto,-lm))
$(eval $(call unit,test_agent_set,tests/unit/test_agent_set.c,mibagent board base,netsnmp libcrypto,-lm))
$(eval $(call unit,test_agent_window,tests/unit/test_agent_window.c,mibagent board base,netsnmp libcrypto,-lm))
$(eval $(call systemtest,tests/system/agent.sh))
