PRAGMA application_id = 1836281712;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE creation (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        operation_id TEXT NOT NULL,
        payload_hash TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('pending', 'created', 'rejected', 'unknown', 'delivered')),
        instance_id TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        PRIMARY KEY (provider, account, name)
    );
INSERT INTO "creation" VALUES('green_api','1da40e765dc4eca5','delivered','f2c3872e210c4f99a82cd53a1f619193','e3e406841c843275f180664db7aa988ad8338db41576e14af4653525c654a849','delivered','1101000001','2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('green_api','1da40e765dc4eca5','created','54b8c6444a294c608c01844b6f4f732e','57d4527f2e0acd35c8ef5930daa34f6a1e5ee15a3864d0f2e1fe8ea797053efa','created','1101000002','2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('green_api','1da40e765dc4eca5','rejected','5a6105b61e9b488aaebb81bbc460a04b','218421aaa66256e63ec69966a933625d9e06a7c5d2ac82da2bc6cdc6fb7f3e09','rejected',NULL,'2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('green_api','1da40e765dc4eca5','unknown','f42f637581cb4a31ae5557b0850439ac','2bfc12e874b07cde240a84f38b8d0e2981d2bf0b9ead111a2d8541417feb8030','unknown',NULL,'2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('green_api','1da40e765dc4eca5','pending','4b9a0505986f4eefa0a53760a115a80b','95fbe59779bb5a7f73602c881fb16d7d8078300f9c944fc746fd42d82477ba36','pending',NULL,'2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('green_api','922d774808f2ecb0','delivered','cd41ecb0cd0a4f9e99d009070eddafad','e3e406841c843275f180664db7aa988ad8338db41576e14af4653525c654a849','delivered','1101000003','2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('plugzapi','2a3bf40fb5ebc10c','delivered','7ff58670d79c4f179ec17bab2850948a','e3e406841c843275f180664db7aa988ad8338db41576e14af4653525c654a849','delivered','0000000000000000000000000000000A','2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('plugzapi','2a3bf40fb5ebc10c','unknown','9b526c1199764b86ba96ed93a2c30263','2bfc12e874b07cde240a84f38b8d0e2981d2bf0b9ead111a2d8541417feb8030','unknown',NULL,'2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('plugzapi','2a3bf40fb5ebc10c','Лавка "№ 5" {{ x }}','95c2e1716ebb4ed5a02decca443d7987','b0f1c7c3daa371b9a081dee93fd8f4c26042e465e796d8a5847f90a14891a785','created','0000000000000000000000000000000B','2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
INSERT INTO "creation" VALUES('green_api','1da40e765dc4eca5','adopted','7eb958ec45e445b3aff1b5aaa721561a','','created','1101000009','2026-11-30T18:38:51Z','2026-11-30T18:38:51Z');
CREATE TABLE lease (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        expires DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (provider, account, name)
    );
INSERT INTO "lease" VALUES('green_api','1da40e765dc4eca5','delivered','somebody',0.0);
CREATE TABLE reboot (
        ticket TEXT PRIMARY KEY,
        provider TEXT NOT NULL,
        instance_id TEXT NOT NULL,
        requested_at DOUBLE PRECISION NOT NULL
    );
INSERT INTO "reboot" VALUES('ticket','green_api','1101000001',1000.0);
COMMIT;
