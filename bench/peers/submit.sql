-- What a submission must write at the least: one transaction with an application, one case, four materials, a timeline
-- entry and an outbox row. Ours writes more (idempotency, numbers, clocks, encryption), so the ratio is below 1.
\set applicant random(1, 1000000)
BEGIN;
INSERT INTO applications (applicant, form) VALUES (:applicant, '{"shop_name": "x", "area": 60}') RETURNING id \gset
INSERT INTO cases (application_id, status) VALUES (:id, 'SUBMITTED');
INSERT INTO materials (application_id, code, file) VALUES
  (:id, 'a', 'x'), (:id, 'b', 'x'), (:id, 'c', 'x'), (:id, 'd', 'x');
INSERT INTO timeline (application_id, action) VALUES (:id, 'submitted');
INSERT INTO outbox (event) VALUES ('{"type": "submitted"}');
COMMIT;
