ALTER TABLE "form_runs" ADD COLUMN "stop_reason" text;--> statement-breakpoint
ALTER TABLE "form_runs" ADD COLUMN "stopped_by" text;