-- A store as release 1 left it (schema 1): four records, one of them from a newer tablet, and one in quarantine.
BEGIN TRANSACTION;
CREATE TABLE account (
	email VARCHAR NOT NULL, 
	password_hash VARCHAR NOT NULL, 
	created_ms BIGINT NOT NULL, 
	PRIMARY KEY (email)
);
CREATE TABLE api_token (
	token_sha256 VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	created_ms BIGINT NOT NULL, 
	PRIMARY KEY (token_sha256)
);
CREATE TABLE blob (
	sha256 VARCHAR(64) NOT NULL, 
	bytes BIGINT NOT NULL, 
	have BIGINT NOT NULL, 
	media_type VARCHAR NOT NULL, 
	received_ms BIGINT NOT NULL, 
	sent_life VARCHAR NOT NULL, 
	central_life VARCHAR NOT NULL, 
	PRIMARY KEY (sha256)
);
CREATE TABLE blob_chunk (
	sha256 VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (sha256, at)
);
CREATE TABLE blob_name (
	sha256 VARCHAR(64) NOT NULL, 
	record_id VARCHAR(36) NOT NULL, 
	name VARCHAR NOT NULL, 
	bytes BIGINT NOT NULL, 
	media_type VARCHAR NOT NULL, 
	PRIMARY KEY (sha256, record_id, name)
);
CREATE TABLE cursor (
	peer VARCHAR NOT NULL, 
	epoch VARCHAR NOT NULL, 
	n BIGINT NOT NULL, 
	PRIMARY KEY (peer, epoch)
);
CREATE TABLE enrol_code (
	code_sha256 VARCHAR NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	used_by VARCHAR, 
	PRIMARY KEY (code_sha256)
);
CREATE TABLE form (
	form_id VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	xform TEXT NOT NULL, 
	definition TEXT NOT NULL, 
	source_name VARCHAR NOT NULL, 
	source BLOB NOT NULL, 
	published_ms BIGINT NOT NULL, 
	PRIMARY KEY (form_id, version)
);
CREATE TABLE form_file (
	form_id VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	media_type VARCHAR NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	PRIMARY KEY (form_id, version, name)
);
CREATE TABLE form_file_piece (
	sha256 VARCHAR(64) NOT NULL, 
	start BIGINT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (sha256, start)
);
CREATE TABLE log (
	slot INTEGER NOT NULL, 
	next_n BIGINT NOT NULL, 
	PRIMARY KEY (slot)
);
INSERT INTO "log" VALUES(1,6);
CREATE TABLE login_session (
	token_sha256 VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	PRIMARY KEY (token_sha256)
);
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('node_id','dc5b33c9d2aa4a82a3be8ac40cc339ea');
INSERT INTO "meta" VALUES('epoch','c77e289c5fae44f8');
INSERT INTO "meta" VALUES('schema','1');
INSERT INTO "meta" VALUES('name','Tableta 3');
INSERT INTO "meta" VALUES('receipts_life','ab971b97099c46fc');
CREATE TABLE node (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	token_sha256 VARCHAR NOT NULL, 
	enrolled_ms BIGINT NOT NULL, 
	last_contact_ms BIGINT, 
	revoked_ms BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE quarantine (
	id VARCHAR(36) NOT NULL, 
	sha256 BLOB NOT NULL, 
	n BIGINT NOT NULL, 
	why VARCHAR NOT NULL, 
	received_ms BIGINT NOT NULL, 
	via VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id, sha256), 
	UNIQUE (n)
);
INSERT INTO "quarantine" VALUES('019c2f4e-8a30-7c1b-9d2e-000000000002',X'840F89196472CA2AF34F15CAD8FFBD149DCF0A1D376B2F7E804EE4DC4683B722',5,'conflict',1795000000000,'[]','{"answers":{"agua":"nunca"},"finished":"2026-11-20T10:42:00.123-05:00","form":"servicios","form_sha":"5f0e6a1b2c3d4e5f","id":"019c2f4e-8a30-7c1b-9d2e-000000000002","kind":"submission","lang":"es","salt":"Zm9vYmFyYmF6cXV4","started":"2026-11-20T10:39:12.004-05:00","version":"2026.1"}');
CREATE TABLE receipt (
	id VARCHAR(36) NOT NULL, 
	sha256 BLOB NOT NULL, 
	at_ms BIGINT NOT NULL, 
	PRIMARY KEY (id, sha256)
);
CREATE TABLE record (
	n BIGINT NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	sha256 BLOB NOT NULL, 
	kind VARCHAR NOT NULL, 
	form VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	origin VARCHAR NOT NULL, 
	origin_epoch VARCHAR NOT NULL, 
	origin_n BIGINT NOT NULL, 
	received_ms BIGINT NOT NULL, 
	skew_ms BIGINT NOT NULL, 
	state VARCHAR NOT NULL, 
	flags VARCHAR NOT NULL, 
	via VARCHAR NOT NULL, 
	body TEXT, 
	PRIMARY KEY (n), 
	UNIQUE (id)
);
INSERT INTO "record" VALUES(1,'019c2f4e-8a30-7c1b-9d2e-000000000001',X'73159E39A5B60071A0BE8162FC8BC450124B75979E1CA897FC56A0E9B3CFA91D','submission','servicios','2026.1','','',1,1795000000000,0,'usable','','[]','{"answers":{"agua":"a veces","edad":"31"},"finished":"2026-11-20T10:41:00.123-05:00","form":"servicios","form_sha":"5f0e6a1b2c3d4e5f","id":"019c2f4e-8a30-7c1b-9d2e-000000000001","kind":"submission","lang":"es","salt":"Zm9vYmFyYmF6cXV4","started":"2026-11-20T10:39:12.004-05:00","version":"2026.1"}');
INSERT INTO "record" VALUES(2,'019c2f4e-8a30-7c1b-9d2e-000000000002',X'9511A5CE2EC76529277AA16F6EE8105F7E17904CE9E115439B701A73CE62831C','submission','servicios','2026.1','','',2,1795000000000,0,'contested','','[]','{"answers":{"agua":"a veces","edad":"32"},"finished":"2026-11-20T10:42:00.123-05:00","form":"servicios","form_sha":"5f0e6a1b2c3d4e5f","id":"019c2f4e-8a30-7c1b-9d2e-000000000002","kind":"submission","lang":"es","salt":"Zm9vYmFyYmF6cXV4","started":"2026-11-20T10:39:12.004-05:00","version":"2026.1"}');
INSERT INTO "record" VALUES(3,'019c2f4e-8a30-7c1b-9d2e-000000000003',X'CD8F6A6FF6D498DFD608DB1D5ABD73369A4C605018E4BBC5683B1B07BCB49334','edit','servicios','2026.1','','',3,1795000000000,0,'usable','','[]','{"answers":{"agua":"a veces","edad":"33"},"claim":"0123456789abcdef0123456789abcdef","finished":"2026-11-20T10:43:00.123-05:00","form":"servicios","form_sha":"5f0e6a1b2c3d4e5f","id":"019c2f4e-8a30-7c1b-9d2e-000000000003","kind":"edit","lang":"es","replaces":"019c2f4e-8a30-7c1b-9d2e-000000000001","salt":"Zm9vYmFyYmF6cXV4","started":"2026-11-20T10:39:12.004-05:00","version":"2026.1"}');
INSERT INTO "record" VALUES(4,'019c2f4e-8a30-7c1b-9d2e-000000000004',X'AB467C726FC97975D67AF8CFDC8BC2E0F5CDF09CAA8B426698A4A12B9C4DE326','submission','servicios','2026.1','','',4,1795000000000,0,'usable','','[]','{"answers":{"agua":"a veces","edad":"34"},"finished":"ayer","form":"servicios","form_sha":"5f0e6a1b2c3d4e5f","id":"019c2f4e-8a30-7c1b-9d2e-000000000004","kind":"submission","lang":"es","salt":"Zm9vYmFyYmF6cXV4","started":"2026-11-20T10:39:12.004-05:00","version":"2026.1"}');
CREATE TABLE upstream (
	slot INTEGER NOT NULL, 
	url VARCHAR NOT NULL, 
	node_id VARCHAR NOT NULL, 
	token VARCHAR NOT NULL, 
	cursor_n BIGINT NOT NULL, 
	receipts_n BIGINT NOT NULL, 
	receipts_epoch VARCHAR NOT NULL, 
	forms_etag VARCHAR NOT NULL, 
	last_try_ms BIGINT, 
	last_contact_ms BIGINT, 
	last_error VARCHAR NOT NULL, 
	PRIMARY KEY (slot)
);
INSERT INTO "upstream" VALUES(1,'http://127.0.0.1:9','c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0','un token',0,0,'','',NULL,NULL,'');
CREATE INDEX ix_record_form_n ON record (form, n);
CREATE INDEX ix_receipt_at_ms ON receipt (at_ms);
CREATE INDEX ix_node_token_sha256 ON node (token_sha256);
CREATE INDEX ix_blob_name_record_id ON blob_name (record_id);
CREATE INDEX ix_form_file_sha256 ON form_file (sha256);
COMMIT;
