declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  import type { ComponentType } from "react";

  type Component = ComponentType<Record<string, unknown>>;
  const SwaggerUI: (options: {
    url: string;
    dom_id: string;
    docExpansion?: "none" | "list" | "full";
    defaultModelsExpandDepth?: number;
    validatorUrl?: string | null;
    plugins?: {
      wrapComponents: Record<string, (Original: Component, system: { React: typeof import("react") }) => Component>;
    }[];
  }) => unknown;
  export default SwaggerUI;
}
