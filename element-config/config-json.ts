import type { TenantConfig } from "../migrations/types.ts";

/** What of a tenant Element Web needs to know. */
export interface ElementTenant {
  title: string;
  serverName: string;
  homeserverUrl: string;
  config: Pick<TenantConfig, "readableRooms">;
}

/**
 * The `config.json` with which Element Web opens on this tenant's homeserver and offers nothing that does not work there.
 * Keys: https://web-docs.element.dev/Element%20Web/config.html
 */
export function elementConfig(tenant: ElementTenant): Record<string, unknown> {
  return {
    default_server_config: {
      "m.homeserver": { base_url: tenant.homeserverUrl, server_name: tenant.serverName },
    },
    // One homeserver: nobody has to find the small "Edit" beside its name, or can go astray with it.
    disable_custom_urls: true,
    disable_guests: true,
    disable_3pid_login: true,
    brand: tenant.title,
    // No sign-up form: accounts come from invite links. No address of ours sends mail, so no password reset by mail.
    setting_defaults: {
      "UIFeature.registration": false,
      "UIFeature.passwordReset": false,
      "UIFeature.identityServer": false,
      "UIFeature.thirdPartyId": false,
      "UIFeature.feedback": false,
      "UIFeature.voip": false,
      "UIFeature.locationSharing": false,
      "UIFeature.shareSocial": false,
      ...(tenant.config.readableRooms
        ? { "UIFeature.advancedEncryption": false, "UIFeature.BulkUnverifiedSessionsReminder": false }
        : {}),
    },
    // Presence is off on the homeserver: Element would show everyone as away.
    enable_presence_by_hs_url: { [tenant.homeserverUrl]: false },
    room_directory: { servers: [tenant.serverName] },
    integrations_ui_url: null,
    integrations_rest_url: null,
    integrations_widgets_urls: [],
    bug_report_endpoint_url: null,
    show_labs_settings: false,
    mobile_guide_toast: false,
  };
}
