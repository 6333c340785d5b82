-- A list for payment that was taken: `file` is what went out, to the byte.
CREATE TABLE payment_batches (
    batch_no BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, file VARCHAR NOT NULL);

-- A row puts a reward into a batch, or takes it back from there (no batch), and stays: the last one says where it is.
CREATE TABLE payment_entries (
    entry_id BIGINT PRIMARY KEY, reward_no BIGINT NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    batch_no BIGINT);

CREATE VIEW sent_rewards AS
    SELECT reward_no, batch_no, done_at, actor_id FROM payment_entries
    QUALIFY entry_id = max(entry_id) OVER (PARTITION BY reward_no) AND batch_no IS NOT NULL;

-- Currencies have up to four decimals. A view knows the types of its table, so it is made again.
DROP VIEW present_rewards;
ALTER TABLE rewards ALTER amount TYPE DECIMAL(14, 4);
CREATE VIEW present_rewards AS
    SELECT reward_no, report_id, done_at, actor_id, kind, amount, currency, state, policy_version, reason, severity,
        share, version
    FROM rewards QUALIFY reward_id = max(reward_id) OVER (PARTITION BY reward_no);

-- What left as money, or did not after all: a row that follows one of a payment is its reversal, in the month in which
-- that was noted.
CREATE VIEW reward_payments AS
    SELECT reward_no, done_at, kind, currency, CASE WHEN state = 'paid' THEN amount ELSE -amount END AS amount
    FROM rewards
    QUALIFY state = 'paid' OR coalesce(lag(state) OVER (PARTITION BY reward_no ORDER BY reward_id) = 'paid', false);

-- When a reward was approved last. An approval has no words; what an undo or a reversal brings back has.
CREATE VIEW reward_approvals AS
    SELECT reward_no, max(done_at) AS approved_at FROM rewards WHERE state = 'approved' AND reason = ''
    GROUP BY reward_no;
