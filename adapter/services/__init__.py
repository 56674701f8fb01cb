"""The plan year of an enrolled beneficiary: the state of the enrollment, what is due and until when, and proposed opt-outs."""
