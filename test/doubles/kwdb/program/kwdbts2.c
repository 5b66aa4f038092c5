extern const char *libcommon_build(void);
const char *kwdbts2_build(void) { return libcommon_build(); }
