import { testProof } from "../support/prove.ts";

testProof("flights");
