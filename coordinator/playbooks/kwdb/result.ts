import { resultsOf } from "../result.ts";

export const { result, judge, judgeEvery } = resultsOf("kwdb");
