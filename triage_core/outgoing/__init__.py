"""What leaves the house unasked: notices by e-mail and webhook, kept until they have gone."""
