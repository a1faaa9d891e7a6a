import { testProof } from "../support/prove.ts";

testProof("join-and-failover");
