-- What a report says of rewards, and the key of a report button that it came with, in columns of their own: the clock
-- of rewards and the sources of reports read a million of them, and would look through each body and each intake key.
ALTER TABLE reports ADD COLUMN wants_reward BOOLEAN DEFAULT false;
ALTER TABLE reports ADD COLUMN api_key BIGINT;
UPDATE reports SET wants_reward = true
WHERE contains(body, '"wants_reward"') AND (body ->> 'wants_reward') = 'true';
-- What came with the key of a product was stored under that key.
UPDATE reports SET api_key = k.number
FROM (SELECT report_id, TRY_CAST(split_part(intake_key, ':', 2) AS BIGINT) AS number
      FROM intake_keys WHERE starts_with(intake_key, 'api:')) k
WHERE k.report_id = reports.report_id AND k.number IS NOT NULL;
