package fhirtest;

import ca.uhn.fhir.batch2.api.IJobMaintenanceService;
import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.provider.ValueSetOperationProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.validation.JpaValidationSupportChain;
import ca.uhn.fhir.parser.LenientErrorHandler;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.SearchPreferHandlingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IInstanceValidatorModule;
import jakarta.persistence.EntityManagerFactory;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.h2.jdbcx.JdbcConnectionPool;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * A HAPI FHIR R4 JPA server on an H2 database in memory, on 127.0.0.1 only. Usage: HapiServer PORT (0: a free one).
 * Prints "READY URL" on standard output when it answers. Options are system properties, see tests/servers/README.md.
 */
public final class HapiServer {
    /** With -Dstock=true every option that is not given stays as HAPI itself has it. */
    private static final boolean STOCK = Boolean.getBoolean("stock");

    private static boolean flag(String name, boolean standard) {
        return Boolean.parseBoolean(System.getProperty(name, String.valueOf(standard)));
    }

    /** The number given, else the one for tests, else (stock) null. */
    private static Integer number(String name, int forTests) {
        return Integer.getInteger(name, STOCK ? null : Integer.valueOf(forTests));
    }

    @Configuration
    @Import({JpaR4Config.class, HapiJpaConfig.class, JpaBatch2Config.class, Batch2JobsConfig.class,
        SubscriptionChannelConfig.class, ThreadPoolFactoryConfig.class})
    static class Beans {
        @Bean
        JpaStorageSettings storageSettings() {
            var settings = new JpaStorageSettings();
            settings.setEnforceReferentialIntegrityOnWrite(flag("refs", true));
            settings.setEnforceReferentialIntegrityOnDelete(flag("refs", true));
            if (!flag("cache", STOCK)) {
                settings.setReuseCachedSearchResultsForMillis(null);
                settings.setEnableBulkExportJobReuse(false);
            }
            return settings;
        }

        @Bean
        PartitionSettings partitionSettings() {
            return new PartitionSettings();
        }

        @Bean
        SubscriptionSettings subscriptionSettings() {
            return new SubscriptionSettings();
        }

        @Bean(destroyMethod = "dispose")
        JdbcConnectionPool dataSource() {
            var pool = JdbcConnectionPool.create("jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1", "sa", "");
            pool.setMaxConnections(30);
            return pool;
        }

        @Bean
        LocalContainerEntityManagerFactoryBean entityManagerFactory(ConfigurableListableBeanFactory beans,
                FhirContext fhir, JpaStorageSettings settings, DataSource database) {
            var factory = HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
            factory.setPersistenceUnitName("hapi");
            factory.setDataSource(database);
            factory.setJpaPropertyMap(Map.of(
                "hibernate.dialect", HapiFhirH2Dialect.class.getName(),
                "hibernate.hbm2ddl.auto", "update",
                "hibernate.jdbc.batch_size", "20",
                "hibernate.search.enabled", "false"));
            return factory;
        }

        @Bean
        JpaTransactionManager transactionManager(EntityManagerFactory factory) {
            return new JpaTransactionManager(factory);
        }
    }

    public static void main(String[] args) {
        try {
            serve(args.length > 0 ? Integer.parseInt(args[0]) : 0);
        } catch (Exception error) {
            error.printStackTrace();
            System.exit(1); // threads of the application context would keep the process alive
        }
    }

    private static void serve(int port) throws Exception {
        var definitions = definitions(System.getProperty("profiles"));
        var app = new AnnotationConfigApplicationContext(Beans.class);
        var fhir = app.getBean(FhirContext.class);
        if (flag("lenient", false)) {
            fhir.setParserErrorHandler(new LenientErrorHandler(false).disableAllErrors());
        }
        if (!definitions.isEmpty()) {
            addProfiles(app, fhir, definitions);
        }
        var server = new Server();
        var connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(port);
        server.addConnector(connector);
        server.setHandler(handler(app, fhir));
        server.start();
        repeatJobMaintenance(app.getBean(IJobMaintenanceService.class), Long.getLong("jobs", 250));
        if (flag("watch", false)) {
            stopWhenInputEnds();
        }
        System.out.println("READY http://127.0.0.1:" + connector.getLocalPort() + "/fhir");
        System.out.flush();
        server.join();
    }

    private static ServletContextHandler handler(AnnotationConfigApplicationContext app, FhirContext fhir) {
        var servlet = new ServletHolder(restfulServer(app, fhir));
        servlet.setInitOrder(1);
        var handler = new ServletContextHandler("/");
        handler.addServlet(servlet, "/fhir/*");
        var seconds = number("retryAfter", 1);
        if (seconds != null) {
            handler.addFilter(new FilterHolder(retryAfter(seconds)), "/*", EnumSet.of(DispatcherType.REQUEST));
        }
        return handler;
    }

    private static RestfulServer restfulServer(AnnotationConfigApplicationContext app, FhirContext fhir) {
        var rest = new RestfulServer(fhir);
        rest.registerProviders(app.getBean(ResourceProviderFactory.class).createProviders());
        rest.registerProviders(app.getBean(JpaSystemProvider.class), app.getBean(BulkDataExportProvider.class),
            app.getBean(ValueSetOperationProvider.class));
        rest.setServerConformanceProvider(new JpaCapabilityStatementProvider(rest, app.getBean(IFhirSystemDao.class),
            app.getBean(JpaStorageSettings.class), app.getBean(ISearchParamRegistry.class),
            app.getBean(JpaValidationSupportChain.class)));
        var paging = app.getBean(DatabaseBackedPagingProvider.class);
        var page = number("page", 100);
        var maximum = number("maxpage", 1000);
        if (page != null) {
            paging.setDefaultPageSize(page);
        }
        if (maximum != null) {
            paging.setMaximumPageSize(maximum);
        }
        rest.setPagingProvider(paging);
        rest.setDefaultResponseEncoding(EncodingEnum.JSON);
        rest.registerInterceptor(new SearchPreferHandlingInterceptor());
        return rest;
    }

    /** HAPI writes "Retry-After: 120" on every 202 of an export and has no setting for it. */
    private static Filter retryAfter(int seconds) {
        return (request, response, chain) -> chain.doFilter(request,
            new HttpServletResponseWrapper((HttpServletResponse) response) {
                @Override
                public void addHeader(String name, String value) {
                    super.addHeader(name, "Retry-After".equalsIgnoreCase(name) ? String.valueOf(seconds) : value);
                }
            });
    }

    /** All definitions below the folder; of two with one URL the last by path answers for the bare URL. */
    private static List<Path> definitions(String folder) throws IOException {
        if (folder == null) {
            return List.of();
        }
        try (var found = Files.walk(Path.of(folder))) {
            return found.filter(path -> path.toString().endsWith(".json")).sorted().toList();
        }
    }

    private static void addProfiles(AnnotationConfigApplicationContext app, FhirContext fhir, List<Path> files)
            throws IOException {
        var own = new PrePopulatedValidationSupport(fhir);
        var parser = fhir.newJsonParser();
        for (var file : files) {
            own.addResource(parser.parseResource(Files.readString(file)));
        }
        app.getBean(JpaValidationSupportChain.class).addValidationSupport(0, own);
        if (flag("targets", true) && app.getBean(IInstanceValidatorModule.class) instanceof FhirInstanceValidator v) {
            v.setAssumeValidRestReferences(true); // else the type of a reference is not compared with the profile
        }
    }

    /** Exports advance only in a maintenance pass, by default once a minute. */
    private static void repeatJobMaintenance(IJobMaintenanceService jobs, long milliseconds) {
        daemon("jobs", () -> {
            while (true) {
                jobs.runMaintenancePass();
                Thread.sleep(milliseconds);
            }
        });
    }

    /** The starter holds the other end of standard input: when it dies, however that happens, so does this server. */
    private static void stopWhenInputEnds() {
        daemon("watch", () -> {
            while (System.in.read() >= 0) { }
            System.exit(0);
            return null;
        });
    }

    private static void daemon(String name, java.util.concurrent.Callable<?> body) {
        var thread = new Thread(() -> {
            try {
                body.call();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
    }
}
