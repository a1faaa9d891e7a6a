import { testProof } from "../support/prove.ts";

testProof("split-merge");
