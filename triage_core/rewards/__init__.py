"""Rewards by the policy: rules, states, and the clock of the bounty."""
