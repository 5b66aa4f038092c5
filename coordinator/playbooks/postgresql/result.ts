import { resultsOf } from "../result.ts";

export const { result, judge } = resultsOf("postgresql");
