CREATE TABLE "approvals" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"run_id" text NOT NULL,
	"call_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"room_id" text NOT NULL,
	"thread_root" text,
	"kind" text NOT NULL,
	"tool" text NOT NULL,
	"sentence" text,
	"arguments_hash" text NOT NULL,
	"schema_hash" text NOT NULL,
	"level" integer,
	"only_person" text,
	"grantable" boolean DEFAULT false NOT NULL,
	"event_id" text,
	"state" text DEFAULT 'open' NOT NULL,
	"decided_by" text,
	"decided_via" text,
	"answer" text,
	"shown" text,
	"expires_at" timestamp with time zone NOT NULL,
	"decided_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "files" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"path" text NOT NULL,
	"content_type" text NOT NULL,
	"size" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	"untrusted" text,
	"written_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "form_runs" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"form_id" text NOT NULL,
	"version" integer NOT NULL,
	"values" jsonb,
	"via" text NOT NULL,
	"definition" jsonb,
	"by" text NOT NULL,
	"room_id" text,
	"thread_root" text,
	"question_event" text,
	"parent_call" text,
	"hops" integer DEFAULT 0 NOT NULL,
	"untrusted" text,
	"run_id" text,
	"state" text DEFAULT 'queued' NOT NULL,
	"result" text,
	"error" text,
	"tokens" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "form_tools" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"state" text DEFAULT 'draft' NOT NULL,
	"version" integer DEFAULT 0 NOT NULL,
	"definition" jsonb NOT NULL,
	"draft" jsonb,
	"draft_revision" integer DEFAULT 0 NOT NULL,
	"draft_by" text,
	"draft_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "form_versions" (
	"form_id" text NOT NULL,
	"version" integer NOT NULL,
	"definition" jsonb NOT NULL,
	"created_by" text,
	"note" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "form_versions_form_id_version_pk" PRIMARY KEY("form_id","version")
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"room_id" text NOT NULL,
	"tool" text NOT NULL,
	"schema_hash" text NOT NULL,
	"granted_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone,
	"revoked_by" text
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"room_id" text NOT NULL,
	"thread_root" text,
	"created_by" text NOT NULL,
	"task" text NOT NULL,
	"time" jsonb NOT NULL,
	"state" text DEFAULT 'active' NOT NULL,
	"problem" text,
	"untrusted" text,
	"next_at" timestamp with time zone,
	"last_at" timestamp with time zone,
	"last_run_id" text,
	"times" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tool_calls" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"run_id" text,
	"agent_id" text,
	"room_id" text,
	"person_id" text,
	"turn" integer NOT NULL,
	"index" integer NOT NULL,
	"call_id" text NOT NULL,
	"tool" text NOT NULL,
	"tool_group" text NOT NULL,
	"arguments" jsonb,
	"arguments_hash" text NOT NULL,
	"schema_hash" text NOT NULL,
	"state" text DEFAULT 'proposed' NOT NULL,
	"reason" text,
	"result" text,
	"untrusted" text,
	"tokens" integer DEFAULT 0 NOT NULL,
	"held" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "tool_counts" (
	"agent_id" text NOT NULL,
	"key" text NOT NULL,
	"unit" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"count" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "tool_counts_agent_id_key_unit_since_pk" PRIMARY KEY("agent_id","key","unit","since")
);
--> statement-breakpoint
CREATE TABLE "tool_secrets" (
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"value" text NOT NULL,
	"header" text NOT NULL,
	"hosts" jsonb NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tool_secrets_tenant_id_name_pk" PRIMARY KEY("tenant_id","name")
);
--> statement-breakpoint
CREATE TABLE "tool_settings" (
	"tenant_id" text PRIMARY KEY NOT NULL,
	"mail" jsonb,
	"mail_password" text,
	"search" jsonb,
	"search_key" text,
	"approval_minutes" integer
);
--> statement-breakpoint
DROP INDEX "runs_open";--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "on_behalf_of" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "untrusted" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "parent_call" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "form_run_id" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "turn" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "workflow_id" text GENERATED ALWAYS AS (case when turn = 0 then id else id || '.' || turn::text end) STORED NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_call_id_tool_calls_id_fk" FOREIGN KEY ("call_id") REFERENCES "public"."tool_calls"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "form_runs" ADD CONSTRAINT "form_runs_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "form_runs" ADD CONSTRAINT "form_runs_form_id_form_tools_id_fk" FOREIGN KEY ("form_id") REFERENCES "public"."form_tools"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "form_tools" ADD CONSTRAINT "form_tools_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "form_versions" ADD CONSTRAINT "form_versions_form_id_form_tools_id_fk" FOREIGN KEY ("form_id") REFERENCES "public"."form_tools"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD CONSTRAINT "tool_calls_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD CONSTRAINT "tool_calls_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD CONSTRAINT "tool_calls_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tool_counts" ADD CONSTRAINT "tool_counts_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tool_secrets" ADD CONSTRAINT "tool_secrets_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tool_settings" ADD CONSTRAINT "tool_settings_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "approvals_open" ON "approvals" USING btree ("expires_at") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "approvals_run" ON "approvals" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "approvals_call" ON "approvals" USING btree ("call_id");--> statement-breakpoint
CREATE INDEX "approvals_tenant" ON "approvals" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "approvals_room" ON "approvals" USING btree ("tenant_id","room_id") WHERE state = 'open';--> statement-breakpoint
CREATE UNIQUE INDEX "files_path" ON "files" USING btree ("tenant_id","path");--> statement-breakpoint
CREATE INDEX "form_runs_newest" ON "form_runs" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "form_runs_form" ON "form_runs" USING btree ("form_id","created_at");--> statement-breakpoint
CREATE INDEX "form_runs_open" ON "form_runs" USING btree ("created_at") WHERE state in ('queued','running');--> statement-breakpoint
CREATE INDEX "form_runs_question" ON "form_runs" USING btree ("tenant_id","question_event") WHERE question_event is not null;--> statement-breakpoint
CREATE INDEX "form_runs_call" ON "form_runs" USING btree ("parent_call") WHERE parent_call is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "form_tools_name" ON "form_tools" USING btree ("tenant_id","name") WHERE state <> 'removed';--> statement-breakpoint
CREATE UNIQUE INDEX "grants_active" ON "grants" USING btree ("agent_id","room_id","tool") WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX "grants_tenant" ON "grants" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "schedules_due" ON "schedules" USING btree ("next_at") WHERE state = 'active';--> statement-breakpoint
CREATE INDEX "schedules_tenant" ON "schedules" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "schedules_room" ON "schedules" USING btree ("tenant_id","room_id");--> statement-breakpoint
CREATE INDEX "tool_calls_run" ON "tool_calls" USING btree ("run_id","turn","index");--> statement-breakpoint
CREATE INDEX "tool_calls_waiting" ON "tool_calls" USING btree ("created_at") WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX "tool_calls_newest" ON "tool_calls" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "tool_calls_agent" ON "tool_calls" USING btree ("agent_id","created_at");--> statement-breakpoint
CREATE INDEX "tool_calls_tool" ON "tool_calls" USING btree ("tenant_id","tool","created_at");--> statement-breakpoint
CREATE INDEX "tool_counts_since" ON "tool_counts" USING btree ("since");--> statement-breakpoint
CREATE INDEX "runs_parent" ON "runs" USING btree ("parent_call") WHERE parent_call is not null;--> statement-breakpoint
CREATE INDEX "runs_open" ON "runs" USING btree ("created_at") WHERE state in ('queued','running','waiting');