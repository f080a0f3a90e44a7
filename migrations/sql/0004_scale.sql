DROP INDEX "inbox_received";--> statement-breakpoint
DROP INDEX "runs_open";--> statement-breakpoint
DROP INDEX "form_runs_form";--> statement-breakpoint
CREATE INDEX "actions_over" ON "actions" USING btree ("tenant_id","created_at") WHERE state <> 'open';--> statement-breakpoint
CREATE INDEX "answer_events_answer" ON "answer_events" USING btree ("answer_id");--> statement-breakpoint
CREATE INDEX "audit_refused" ON "audit" USING btree ("at") WHERE outcome = 'refused';--> statement-breakpoint
CREATE INDEX "runs_redacted" ON "runs" USING btree ("tenant_id") WHERE stop_reason = 'redacted';--> statement-breakpoint
CREATE INDEX "approvals_agent" ON "approvals" USING btree ("agent_id","created_at","id");--> statement-breakpoint
CREATE INDEX "files_area" ON "files" USING btree ("tenant_id","size");--> statement-breakpoint
CREATE INDEX "form_runs_by" ON "form_runs" USING btree ("form_id","by","created_at","id");--> statement-breakpoint
CREATE INDEX "form_runs_run" ON "form_runs" USING btree ("run_id") WHERE run_id is not null;--> statement-breakpoint
CREATE INDEX "grants_place" ON "grants" USING btree ("agent_id","room_id","tool","created_at");--> statement-breakpoint
CREATE INDEX "schedules_agent" ON "schedules" USING btree ("agent_id");--> statement-breakpoint
CREATE INDEX "inbox_received" ON "inbox" USING btree ("tenant_id","received_at") WHERE content <> '{}';--> statement-breakpoint
CREATE INDEX "runs_open" ON "runs" USING btree ("tenant_id","room_id","created_at") WHERE state in ('queued','running','waiting');--> statement-breakpoint
CREATE INDEX "form_runs_form" ON "form_runs" USING btree ("form_id","created_at","id");