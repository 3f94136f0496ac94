# messages between roles, the board they read, the ring rows go through
$(eval $(call library,board,$(wildcard appliance/board/*.c),))
$(eval $(call unit,test_board,tests/unit/test_board.c,board base,,-lm))
$(eval $(call unit,test_ring,tests/unit/test_ring.c,board base,,-lm))
$(eval $(call fuzzer,fuzz_board,tests/fuzz/fuzz_board.c,$(wildcard appliance/board/*.c appliance/base/*.c),,-lm))
