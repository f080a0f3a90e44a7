declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  const SwaggerUI: (options: {
    url: string;
    dom_id: string;
    deepLinking?: boolean;
    docExpansion?: "none" | "list" | "full";
    defaultModelsExpandDepth?: number;
    validatorUrl?: string | null;
  }) => unknown;
  export default SwaggerUI;
}
