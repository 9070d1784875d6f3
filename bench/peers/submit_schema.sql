CREATE TABLE applications (id bigserial PRIMARY KEY, applicant bigint NOT NULL, form jsonb NOT NULL, at timestamptz DEFAULT now());
CREATE INDEX ON applications (applicant);
CREATE TABLE cases (id bigserial PRIMARY KEY, application_id bigint NOT NULL REFERENCES applications, status text NOT NULL);
CREATE INDEX ON cases (application_id);
CREATE TABLE materials (id bigserial PRIMARY KEY, application_id bigint NOT NULL REFERENCES applications, code text, file text);
CREATE INDEX ON materials (application_id);
CREATE TABLE timeline (id bigserial PRIMARY KEY, application_id bigint NOT NULL, action text, at timestamptz DEFAULT now());
CREATE TABLE outbox (id bigserial PRIMARY KEY, event jsonb NOT NULL, sent_at timestamptz);
