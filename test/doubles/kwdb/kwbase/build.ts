/** What the package's builder baked in; the marks are replaced in the bundle, each by a string of its own. */
export const buildTag = process.env["KWBASE_TESTING_VERSION_TAG"] ?? "@KWBASE_BUILD_TAG@";
export const buildTime = "@KWBASE_BUILD_TIME@";
export const buildSha = "@KWBASE_BUILD_SHA@";
const [major = "0", minor = "0"] = buildTag.replace(/^[Vv]/, "").split(".");

/** Cluster modes of 3.x want a brpc address; 2.x does not know the flag. */
export const hasBrpc = Number(major) >= 3;
export const release = { major: Number(major), minor: Number(minor) };
export const platform = "x86_64-linux-gnu";
export const goVersion = "go1.21.13";
