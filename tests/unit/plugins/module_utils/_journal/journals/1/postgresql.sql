--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: msgops_fleet_creation; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.msgops_fleet_creation (
    provider text NOT NULL,
    account text NOT NULL,
    name text NOT NULL,
    operation_id text NOT NULL,
    payload_hash text NOT NULL,
    status text NOT NULL,
    instance_id text,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    CONSTRAINT msgops_fleet_creation_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'created'::text, 'rejected'::text, 'unknown'::text, 'delivered'::text])))
);


--
-- Name: TABLE msgops_fleet_creation; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.msgops_fleet_creation IS 'msgops.fleet schema 1';


--
-- Name: msgops_fleet_lease; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.msgops_fleet_lease (
    provider text NOT NULL,
    account text NOT NULL,
    name text NOT NULL,
    owner text NOT NULL,
    expires double precision NOT NULL
);


--
-- Name: msgops_fleet_reboot; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.msgops_fleet_reboot (
    ticket text NOT NULL,
    provider text NOT NULL,
    instance_id text NOT NULL,
    requested_at double precision NOT NULL
);


--
-- Data for Name: msgops_fleet_creation; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.msgops_fleet_creation VALUES ('green_api', '1da40e765dc4eca5', 'pending', '33032ce74ed84d67bea54cfd98b94f99', '95fbe59779bb5a7f73602c881fb16d7d8078300f9c944fc746fd42d82477ba36', 'pending', NULL, '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('green_api', '1da40e765dc4eca5', 'delivered', '12edca0d50a54269ada3515e0aeaa817', 'e3e406841c843275f180664db7aa988ad8338db41576e14af4653525c654a849', 'delivered', '1101000001', '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('green_api', '1da40e765dc4eca5', 'created', '79f5e712e2d540a09585a1bd337705a5', '57d4527f2e0acd35c8ef5930daa34f6a1e5ee15a3864d0f2e1fe8ea797053efa', 'created', '1101000002', '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('green_api', '1da40e765dc4eca5', 'rejected', 'b788b04061354de5894b3fac6fb8c722', '218421aaa66256e63ec69966a933625d9e06a7c5d2ac82da2bc6cdc6fb7f3e09', 'rejected', NULL, '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('green_api', '1da40e765dc4eca5', 'unknown', '776e9913093c4ae4ad62668cf7f1278b', '2bfc12e874b07cde240a84f38b8d0e2981d2bf0b9ead111a2d8541417feb8030', 'unknown', NULL, '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('green_api', '922d774808f2ecb0', 'delivered', '828157aa160b485ca87c1a651ced7fb3', 'e3e406841c843275f180664db7aa988ad8338db41576e14af4653525c654a849', 'delivered', '1101000003', '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('plugzapi', '2a3bf40fb5ebc10c', 'delivered', '2f687399eed1434a8e09caae334a06f1', 'e3e406841c843275f180664db7aa988ad8338db41576e14af4653525c654a849', 'delivered', '0000000000000000000000000000000A', '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('plugzapi', '2a3bf40fb5ebc10c', 'unknown', 'ba91150cb12f4595abed427bb8379463', '2bfc12e874b07cde240a84f38b8d0e2981d2bf0b9ead111a2d8541417feb8030', 'unknown', NULL, '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('plugzapi', '2a3bf40fb5ebc10c', 'Лавка "№ 5" {{ x }}', '77b02f45ae2a42b7a1b5aec9d74ba7eb', 'b0f1c7c3daa371b9a081dee93fd8f4c26042e465e796d8a5847f90a14891a785', 'created', '0000000000000000000000000000000B', '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');
INSERT INTO public.msgops_fleet_creation VALUES ('green_api', '1da40e765dc4eca5', 'adopted', '61bc31fee8a44bf0ab1df24ab02eb413', '', 'created', '1101000009', '2026-11-30T18:38:54Z', '2026-11-30T18:38:54Z');


--
-- Data for Name: msgops_fleet_lease; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.msgops_fleet_lease VALUES ('green_api', '1da40e765dc4eca5', 'delivered', 'somebody', 0);


--
-- Data for Name: msgops_fleet_reboot; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.msgops_fleet_reboot VALUES ('ticket', 'green_api', '1101000001', 1000);


--
-- Name: msgops_fleet_creation msgops_fleet_creation_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.msgops_fleet_creation
    ADD CONSTRAINT msgops_fleet_creation_pkey PRIMARY KEY (provider, account, name);


--
-- Name: msgops_fleet_lease msgops_fleet_lease_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.msgops_fleet_lease
    ADD CONSTRAINT msgops_fleet_lease_pkey PRIMARY KEY (provider, account, name);


--
-- Name: msgops_fleet_reboot msgops_fleet_reboot_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.msgops_fleet_reboot
    ADD CONSTRAINT msgops_fleet_reboot_pkey PRIMARY KEY (ticket);


--
-- PostgreSQL database dump complete
--


