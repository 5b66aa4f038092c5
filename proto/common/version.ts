/** The version that the bundler has written into the program; a program run from its sources says so. */
declare const LOCKKEEPER_VERSION: string | undefined;

export const version: string =
  typeof LOCKKEEPER_VERSION === "undefined" ? "0.0.0-source" : LOCKKEEPER_VERSION;
