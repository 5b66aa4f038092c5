const char *libcommon_build(void) { return BUILD; }
