# key state behind one door; SQLite is the engine
$(eval $(call library,store,$(wildcard appliance/store/*.c),sqlite3))
$(eval $(call unit,test_store,tests/unit/test_store.c,store loop base,sqlite3 libevent_core,-lm -lpthread))
