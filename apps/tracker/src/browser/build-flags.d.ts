/**
 * Set by the build: false in the default script, which carries no settings and takes no features;
 * true in the kernel that features are added to. Code behind it vanishes from the default script.
 */
declare const EXTENSIBLE: boolean;
